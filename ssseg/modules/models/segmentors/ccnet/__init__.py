"""Criss-cross attention."""

from .ccnet import CCNet
