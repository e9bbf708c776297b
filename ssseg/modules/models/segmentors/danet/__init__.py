"""Dual attention."""
