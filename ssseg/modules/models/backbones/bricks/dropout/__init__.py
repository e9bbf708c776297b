"""Dropout, by name."""

from .builder import BuildDropout, DropoutBuilder
