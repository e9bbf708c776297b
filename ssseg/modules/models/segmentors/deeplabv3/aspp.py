from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import resize_like


class ASPP(nn.Module):
    """Convolutions of one map at several dilations, and its average over the image, joined and mixed.

    Paper: Chen et al., "Rethinking Atrous Convolution", 2017, arXiv:1706.05587, section 3.3.

    Args:
        dilations: of the branches; 1 stands for a 1x1 convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        dilations: Sequence[int],
        *,
        align_corners: bool = False,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.align_corners = align_corners
        self.parallel_branches = nn.ModuleList(
            nn.Sequential(*conv_norm_act(in_channels, out_channels, 1, **layers))
            if dilation == 1
            else self.build_dilated(in_channels, out_channels, dilation, **layers)
            for dilation in dilations
        )
        self.global_branch = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), *conv_norm_act(in_channels, out_channels, 1, **layers)
        )
        joined = (len(dilations) + 1) * out_channels
        self.bottleneck = nn.Sequential(*conv_norm_act(joined, out_channels, 3, **layers))

    def build_dilated(self, in_channels: int, out_channels: int, dilation: int, **layers: Any) -> nn.Module:
        """Return a branch of a dilated 3x3 convolution."""
        return nn.Sequential(*conv_norm_act(in_channels, out_channels, 3, dilation=dilation, **layers))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        parts = [branch(x) for branch in self.parallel_branches]  # each (N, F, h, w)
        parts.append(resize_like(self.global_branch(x), x, self.align_corners))
        return self.bottleneck(torch.cat(parts, dim=1))  # (N, F, h, w)
