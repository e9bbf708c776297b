"""Context of the image and of the classes in it."""

from .classcontext import class_vectors, spread_over_pixels
from .isnet import ISNet
