"""Adaptive pyramid context."""
