"""Segment Anything with a small image encoder."""

from .mobilesam import MobileSAM
from .predictor import MobileSAMAutomaticMaskGenerator, MobileSAMPredictor
