"""Asymmetric non-local networks."""
