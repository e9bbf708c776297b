from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...backbones import DepthwiseSeparableConv2d, conv_norm_act
from ..base import resize_like


class JPU(nn.Module):
    """Joins all maps at the size of the finest, and puts several dilated convolutions of that in place of the last.

    Paper: Wu et al., "FastFCN: Rethinking Dilated Convolution in the Backbone for Semantic Segmentation", 2019,
    arXiv:1903.11816, section 3.3.

    Shape:
        maps, finest first -> the same, but the last one has len(dilations) * mid_channels channels at the size of the
        finest.
    """

    def __init__(
        self,
        in_channels_list: Sequence[int],
        mid_channels: int,
        dilations: Sequence[int],
        *,
        align_corners: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.align_corners = align_corners
        self.out_channels = len(dilations) * mid_channels
        self.conv_layers = nn.ModuleList(
            nn.Sequential(*conv_norm_act(width, mid_channels, 3, norm_cfg=norm_cfg, act_cfg=act_cfg))
            for width in in_channels_list
        )
        joined = len(in_channels_list) * mid_channels
        self.dilation_layers = nn.ModuleList(
            DepthwiseSeparableConv2d(joined, mid_channels, 3, dilation=dilation, norm_cfg=norm_cfg, act_cfg=act_cfg)
            for dilation in dilations
        )
        for layer in self.dilation_layers:
            layer.depthwise_activate = nn.Identity()  # only what leaves a branch is activated

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        parts = [conv(x) for conv, x in zip(self.conv_layers, maps, strict=True)]
        joined = torch.cat([resize_like(x, parts[0], self.align_corners) for x in parts], dim=1)
        return [*maps[:-1], torch.cat([layer(joined) for layer in self.dilation_layers], dim=1)]
