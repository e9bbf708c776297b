"""Interlaced sparse self-attention."""
