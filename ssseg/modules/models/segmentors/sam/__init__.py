"""Segment Anything."""

from .automaticmaskgenerator import SAMAutomaticMaskGenerator
from .predictor import SAMPredictor
from .sam import SAM
from .transforms import ResizeLongestSide
