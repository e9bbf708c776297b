"""Criss-cross attention."""
