"""What all segmentors share."""

from .auxiliary import BuildAuxiliaryDecoder
from .base import BaseSegmentor
from .resize import resize, resize_like
