from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import resize_like


class CascadeFeatureFusion(nn.Module):
    """Adds a coarse map to a finer one.

    Paper: Zhao et al., "ICNet", ECCV 2018, arXiv:1704.08545, section 3.3.

    Returns:
        The sum, and the enlarged coarse map, both (N, out_channels, h, w) with the size of the fine one.
    """

    def __init__(
        self,
        low_channels: int,
        high_channels: int,
        out_channels: int,
        *,
        align_corners: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.align_corners = align_corners
        self.conv_low = nn.Sequential(*conv_norm_act(low_channels, out_channels, 3, dilation=2, **layers))
        self.conv_high = nn.Sequential(*conv_norm_act(high_channels, out_channels, 1, **layers))

    def forward(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        low = self.conv_low(resize_like(low, high, self.align_corners))
        return F.relu(low + self.conv_high(high)), low


class ICNeck(nn.Module):
    """Fuses the three maps of `ICNetEncoder`, from coarse to fine.

    Paper: Zhao et al., "ICNet", ECCV 2018, arXiv:1704.08545, section 3.2.

    Returns:
        Maps that auxiliary heads read, at 1/16 and 1/8 of the image, then the fused map, at 1/8.
    """

    def __init__(self, in_channels_list: Sequence[int], out_channels: int, **layers: Any):
        super().__init__()
        fine, medium, coarse = in_channels_list
        self.out_channels = (out_channels,) * 3
        self.cff_24 = CascadeFeatureFusion(coarse, medium, out_channels, **layers)
        self.cff_12 = CascadeFeatureFusion(out_channels, fine, out_channels, **layers)

    def forward(self, fine: Tensor, medium: Tensor, coarse: Tensor) -> list[Tensor]:
        fused, x_24 = self.cff_24(coarse, medium)
        fused, x_12 = self.cff_12(fused, fine)
        return [x_24, x_12, fused]
