"""The base configs of the segmentors, one a file."""

from ..config import registered
from .default_segmentor import SegmentorConfig

__all__ = ["REGISTERED_SEGMENTOR_CONFIGS", "SegmentorConfig"]

REGISTERED_SEGMENTOR_CONFIGS = registered(__name__, __path__, SegmentorConfig)
