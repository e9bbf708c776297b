"""Disentangled non-local networks."""

from .dnlnet import DNLNet
