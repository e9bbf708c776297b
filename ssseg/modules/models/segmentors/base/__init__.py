"""What all segmentors share."""

from ...upsampling.resize import resize, resize_like
from .attention import attend, weighted_means
from .auxiliary import BuildAuxiliaryDecoder, require_one_auxiliary, used_losses
from .base import BaseSegmentor
from .context import ContextSegmentor
from .feature2pyramid import Feature2Pyramid
from .fpn import FPN, add_from_top
from .scale import Scale
from .selection import SelectedMaps
from .selfattention import SelfAttentionBlock
