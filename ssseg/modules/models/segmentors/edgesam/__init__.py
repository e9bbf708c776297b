"""Segment Anything on phones."""

from .edgesam import EdgeSAM
from .predictor import EdgeSAMAutomaticMaskGenerator, EdgeSAMPredictor
