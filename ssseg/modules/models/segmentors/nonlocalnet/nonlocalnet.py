from typing import ClassVar

from ..base import ContextSegmentor
from .nonlocalblock import NonLocalBlock


class NonLocalNet(ContextSegmentor):
    """Backbone, attention within its last map, 1x1 classifier.

    Paper: Wang et al., "Non-local Neural Networks", CVPR 2018, arXiv:1711.07971.
    """

    names: ClassVar = ("conv_before_nl", "nl_block", "conv_after_nl")

    def build_head(
        self,
        *,
        in_channels: int,
        feats_channels: int,
        dropout: float,
        reduction: int = 2,
        use_scale: bool = True,
        mode: str = "embeddedgaussian",
    ) -> None:
        block = NonLocalBlock(feats_channels, reduction, use_scale, mode, **self.layer_cfg)
        self.build_around(block, in_channels, feats_channels, dropout)
