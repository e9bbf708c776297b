"""Relations between classes, found by intervention."""
