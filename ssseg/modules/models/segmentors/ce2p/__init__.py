"""Context embedding with edge perceiving."""
