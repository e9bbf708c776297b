from typing import ClassVar

from torch import Tensor, nn

from ..base import ContextSegmentor
from .crisscross import CrissCrossAttention


class CCNet(ContextSegmentor):
    """Backbone, the same criss-cross attention several times on its last map, 1x1 classifier.

    Paper: Huang et al., "CCNet: Criss-Cross Attention for Semantic Segmentation", ICCV 2019, arXiv:1811.11721.

    After two passes, the default, every place has seen every other.
    """

    names: ClassVar = ("conv_before_cca", "cca", "conv_after_cca")

    def build_head(self, *, in_channels: int, feats_channels: int, dropout: float, num_recurrence: int = 2) -> None:
        self.num_recurrence = num_recurrence
        self.build_around(CrissCrossAttention(feats_channels), in_channels, feats_channels, dropout)

    def gather(self, block: nn.Module, x: Tensor) -> Tensor:
        """Return x (N, feats_channels, h, w) with its context."""
        for _ in range(self.num_recurrence):
            x = block(x)
        return x
