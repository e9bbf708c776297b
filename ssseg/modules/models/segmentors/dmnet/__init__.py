"""Dynamic multi-scale filters."""
