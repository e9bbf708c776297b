"""Segment Anything in high quality."""

from .predictor import SAMHQAutomaticMaskGenerator, SAMHQPredictor
from .samhq import SAMHQ
