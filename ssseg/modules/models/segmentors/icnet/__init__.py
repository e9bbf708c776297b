"""Image cascade."""
