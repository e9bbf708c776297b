from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones import conv_norm_act


class AdaptiveContextModule(nn.Module):
    """Sums of a map's averages over s x s cells, weighed at each position by what lies there and in the whole image.

    Paper: He et al., "Adaptive Pyramid Context Network for Semantic Segmentation", CVPR 2019, section 3.2.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        pool_scale: int,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()

        def conv(in_channels: int) -> nn.Module:
            return nn.Sequential(*conv_norm_act(in_channels, out_channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg))

        self.pool_scale = pool_scale
        self.pooled_redu_conv = conv(in_channels)
        self.input_redu_conv = conv(in_channels)
        self.global_info = conv(out_channels)
        self.gla = nn.Conv2d(out_channels, pool_scale**2, 1)
        self.residual_conv = conv(out_channels)
        self.fusion_conv = conv(out_channels)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        cells = self.pooled_redu_conv(F.adaptive_avg_pool2d(x, self.pool_scale)).flatten(2)  # (N, F, s * s)
        x = self.input_redu_conv(x)  # (N, F, h, w)
        whole = self.global_info(F.adaptive_avg_pool2d(x, 1))  # (N, F, 1, 1)
        weights = self.gla(x + whole).flatten(2).sigmoid()  # (N, s * s, h * w)
        context = self.residual_conv((cells @ weights).view_as(x))
        return self.fusion_conv(F.relu(context + x))  # (N, F, h, w)
