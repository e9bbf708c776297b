from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import SelfAttentionBlock, resize_like


class ObjectAttention(SelfAttentionBlock):
    """Joins to each place of a map what it needs of the objects, and mixes them.

    Paper: Yuan et al., "Object-Contextual Representations", ECCV 2020, arXiv:1909.11065, section 3.2.

    Args:
        scale: the places that ask are 1 / scale as many in each direction; what they get is enlarged again.
    """

    def __init__(
        self,
        in_channels: int,
        transform_channels: int,
        scale: int,
        *,
        align_corners: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        super().__init__(
            in_channels,
            in_channels,
            transform_channels,
            in_channels,
            key_query_num_convs=2,
            query_downsample=nn.MaxPool2d(scale, ceil_mode=True) if scale > 1 else None,
            **layers,
        )
        self.align_corners = align_corners
        self.bottleneck = nn.Sequential(*conv_norm_act(2 * in_channels, in_channels, 3, **layers))

    def forward(self, feats: Tensor, objects: Tensor) -> Tensor:  # (N, C, h, w), (N, C, K, 1)
        context = resize_like(super().forward(feats, objects), feats, self.align_corners)
        return self.bottleneck(torch.cat([context, feats], dim=1))  # (N, C, h, w)
