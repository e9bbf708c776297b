"""Dynamic multi-scale filters."""

from .dmnet import DMNet
