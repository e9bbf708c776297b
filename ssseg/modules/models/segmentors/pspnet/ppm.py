from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import resize_like


class PyramidPoolingModule(nn.Module):
    """Joins to a map its averages over `s` x `s` cells, for each `s` of `pool_scales`, then mixes them.

    Paper: Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017, arXiv:1612.01105, section 3.2.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        pool_scales: Sequence[int],
        *,
        align_corners: bool = False,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.align_corners = align_corners
        self.branches = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(scale), *conv_norm_act(in_channels, out_channels, 1, **layers))
            for scale in pool_scales
        )
        joined = in_channels + len(pool_scales) * out_channels
        self.bottleneck = nn.Sequential(*conv_norm_act(joined, out_channels, 3, **layers))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        levels = [resize_like(branch(x), x, self.align_corners) for branch in self.branches]  # each (N, F, h, w)
        return self.bottleneck(torch.cat([x, *levels], dim=1))  # (N, F, h, w)
