"""Asymmetric non-local networks."""

from .annnet import ANNNet
