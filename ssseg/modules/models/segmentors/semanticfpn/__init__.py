"""Semantic feature pyramids."""

from .scaleheads import ScaleHeads
