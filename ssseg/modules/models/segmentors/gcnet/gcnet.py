from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..base import ContextSegmentor
from .contextblock import ContextBlock


class GCNet(ContextSegmentor):
    """Backbone, a global context block on its last map, 1x1 classifier.

    Paper: Cao et al., "GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond", ICCVW 2019,
    arXiv:1904.11492.

    The head's `norm_cfg` and `act_cfg` are those of the context block; where missing, the segmentor's.
    """

    names: ClassVar = ("conv_before_cb", "contextblock_net", "conv_after_cb")

    def build_head(
        self,
        *,
        in_channels: int,
        feats_channels: int,
        ratio: float,
        dropout: float,
        pooling_type: str = "att",
        fusion_types: Sequence[str] = ("channel_add",),
        norm_cfg: Mapping[str, Any] | None = None,
        act_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        block = ContextBlock(
            feats_channels,
            ratio,
            pooling_type,
            fusion_types,
            norm_cfg=norm_cfg or self.norm_cfg,
            act_cfg=act_cfg or self.act_cfg,
        )
        self.build_around(block, in_channels, feats_channels, dropout)
