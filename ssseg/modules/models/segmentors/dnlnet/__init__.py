"""Disentangled non-local networks."""
