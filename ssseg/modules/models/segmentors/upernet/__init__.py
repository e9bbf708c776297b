"""Unified perceptual parsing."""

from .upernet import UPerNet
