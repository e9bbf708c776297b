"""Global context."""
