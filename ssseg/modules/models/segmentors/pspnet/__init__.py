"""Pyramid scene parsing."""

from .ppm import PyramidPoolingModule
from .pspnet import PSPNet
