"""Interlaced sparse self-attention."""

from .isanet import ISANet
