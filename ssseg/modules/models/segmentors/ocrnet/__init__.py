"""Object-contextual representations."""
