"""What all segmentors share."""

from .attention import attend, weighted_means
from .auxiliary import BuildAuxiliaryDecoder
from .base import BaseSegmentor
from .context import ContextSegmentor
from .feature2pyramid import Feature2Pyramid
from .fpn import FPN, add_from_top
from .resize import resize, resize_like
from .scale import Scale
from .selfattention import SelfAttentionBlock
