from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import SelfAttentionBlock, resize_like


class PooledPlaces(nn.Module):
    """Replaces the places of a map by the means over `s` x `s` cells, for each `s` of `scales`."""

    def __init__(self, scales: Sequence[int]):
        super().__init__()
        self.scales = tuple(scales)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        return torch.cat([F.adaptive_avg_pool2d(x, scale).flatten(2) for scale in self.scales], dim=2)  # (N, C, L)


class AsymmetricBlock(nn.Module):
    """Attention of a map to pooled places of another or of itself, joined with the map and mixed.

    Paper: Zhu et al., "Asymmetric Non-local Neural Networks for Semantic Segmentation", ICCV 2019, arXiv:1908.07678,
    sections 3.2 (the pyramid block, within one map) and 3.3 (the fusion block, between two).

    Args:
        low_channels: width of the map that is looked at; None where it is the map itself, of which one projection
            then gives queries and keys.
        high_channels, out_channels: widths of the map that asks, and of the result.
        query_scales: for each of them attention is paid once by a map smaller by that factor; the results are added.
        key_pool_scales: see `PooledPlaces`.
        out_act_cfg: activation after the last convolution.
    """

    def __init__(
        self,
        low_channels: int | None,
        high_channels: int,
        transform_channels: int,
        out_channels: int,
        query_scales: Sequence[int],
        key_pool_scales: Sequence[int],
        *,
        align_corners: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
        out_act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.align_corners = align_corners
        self.stages = nn.ModuleList(
            SelfAttentionBlock(
                low_channels or high_channels,
                high_channels,
                transform_channels,
                high_channels,
                value_out_norm=False,
                share_key_query=low_channels is None,
                query_downsample=nn.MaxPool2d(scale, ceil_mode=True) if scale > 1 else None,
                key_downsample=PooledPlaces(key_pool_scales),
                norm_cfg=norm_cfg,
                act_cfg=act_cfg,
            )
            for scale in query_scales
        )
        self.bottleneck = nn.Sequential(
            *conv_norm_act(2 * high_channels, out_channels, 1, norm_cfg=norm_cfg, act_cfg=out_act_cfg)
        )

    def forward(self, high: Tensor, low: Tensor) -> Tensor:  # (N, high_channels, h, w), (N, low_channels, ., .)
        parts = [resize_like(stage(high, low), high, self.align_corners) for stage in self.stages]
        context = torch.stack(parts).sum(dim=0)
        return self.bottleneck(torch.cat([context, high], dim=1))  # (N, out_channels, h, w)
