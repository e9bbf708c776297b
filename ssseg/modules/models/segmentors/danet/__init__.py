"""Dual attention."""

from .danet import DANet
