import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import resize_like


class ScaleHeads(nn.ModuleList):
    """Brings all levels of a pyramid to the size of the finest, doubling step by step, and adds them.

    Paper: Kirillov et al., "Panoptic Feature Pyramid Networks", CVPR 2019, arXiv:1901.02446, section 3.1.

    Args:
        strides: image size / map size of each level, finest first.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        strides: Sequence[int],
        *,
        align_corners: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.align_corners = align_corners
        for stride in strides:
            layers: list[nn.Module] = []
            for _ in range(max(1, int(math.log2(stride / strides[0])))):
                width = out_channels if layers else in_channels
                layers.append(nn.Sequential(*conv_norm_act(width, out_channels, 3, norm_cfg=norm_cfg, act_cfg=act_cfg)))
                if stride != strides[0]:
                    layers.append(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=align_corners))
            self.append(nn.Sequential(*layers))

    def forward(self, levels: Sequence[Tensor]) -> Tensor:  # each (N, in_channels, ., .), finest first
        finest, *others = [head(x) for head, x in zip(self, levels, strict=True)]
        for x in others:
            finest = finest + resize_like(x, finest, self.align_corners)
        return finest  # (N, out_channels, h, w)
