from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import resize_like


class EdgePerceivingModule(nn.Module):
    """Finds the edges between classes in maps of several sizes.

    Paper: Ruan et al., "Devil in the Details", AAAI 2019, arXiv:1809.05996, section 3.4.

    Returns:
        Scores (N, out_channels, h, w) and features (N, maps * hidden_channels, h, w), with the size of the first map.
    """

    def __init__(
        self,
        in_channels_list: Sequence[int],
        hidden_channels: int,
        out_channels: int,
        *,
        align_corners: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.align_corners = align_corners
        self.branches = nn.ModuleList(
            nn.Sequential(*conv_norm_act(width, hidden_channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg))
            for width in in_channels_list
        )
        self.edge_conv = nn.Conv2d(hidden_channels, out_channels, 3, padding=1)
        self.fuse_conv = nn.Conv2d(len(in_channels_list) * out_channels, out_channels, 1)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        features = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]  # each (N, hidden, ., .)
        edges = self._join([self.edge_conv(x) for x in features])
        return self.fuse_conv(edges), self._join(features)

    def _join(self, maps: list[Tensor]) -> Tensor:
        return torch.cat([resize_like(x, maps[0], self.align_corners) for x in maps], dim=1)
