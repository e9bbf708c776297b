"""Pyramid scene parsing."""

from .ppm import PyramidPoolingModule
