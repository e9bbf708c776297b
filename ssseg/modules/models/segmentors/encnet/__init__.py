"""Context encoding."""
