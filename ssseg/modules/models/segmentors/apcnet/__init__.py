"""Adaptive pyramid context."""

from .apcnet import APCNet
