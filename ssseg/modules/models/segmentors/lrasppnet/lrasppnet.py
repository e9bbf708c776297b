from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.errors import ConfigError
from ...backbones import conv_norm_act
from ..base import BaseSegmentor, resize_like


class WindowMeans(nn.Module):
    """Means over large windows of a map; the windows are no larger than the map."""

    def __init__(self, window: int, stride: tuple[int, int]):
        super().__init__()
        self.window, self.stride = window, stride

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        height, width = (min(self.window, side) for side in x.shape[2:])
        return F.avg_pool2d(x, (height, width), self.stride)


class LRASPPNet(BaseSegmentor):
    """Backbone, its last map gated by means over large windows, then joined with finer maps; 1x1 classifier.

    Paper: Howard et al., "Searching for MobileNetV3", ICCV 2019, arXiv:1905.02244, section 6.4.

    The head's `in_channels_list` are the widths of the selected maps, `branch_channels_list` those that all but the
    last have when they are joined.
    """

    reads: ClassVar = {"in_channels_list": None}

    def build_head(
        self,
        *,
        in_channels_list: Sequence[int],
        branch_channels_list: Sequence[int],
        feats_channels: int,
        dropout: float,
    ) -> None:
        *finer, last = in_channels_list
        if len(branch_channels_list) != len(finer):
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['branch_channels_list']: is {list(branch_channels_list)}, must have one width "
                f"for each of the {len(finer)} maps before the last."
            )
        widths = list(zip(finer, branch_channels_list, strict=True))
        self.branch_convs = nn.ModuleDict(
            {f"conv{i}": nn.Conv2d(before, after, 1, bias=False) for i, (before, after) in enumerate(widths)}
        )
        self.branch_ups = nn.ModuleDict(
            {
                f"conv{i}": nn.Sequential(*conv_norm_act(feats_channels + after, feats_channels, 1, **self.layer_cfg))
                for i, (_, after) in enumerate(widths)
            }
        )
        self.aspp_conv = nn.Sequential(*conv_norm_act(last, feats_channels, 1, **self.layer_cfg))
        gate = conv_norm_act(last, feats_channels, 1, norm_cfg=self.norm_cfg, act_cfg={"type": "Sigmoid"})
        self.image_pool = nn.Sequential(WindowMeans(49, (16, 20)), *gate)
        self.bottleneck = nn.Conv2d(feats_channels, feats_channels, 1, bias=False)
        self.decoder = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(feats_channels, self.num_classes, 1))

    def predict(self, features: list[Tensor]) -> Tensor:  # finest first
        last = features[-1]
        x = self.bottleneck(self.aspp_conv(last) * resize_like(self.image_pool(last), last, self.align_corners))
        for i in reversed(range(len(self.branch_convs))):
            x = resize_like(x, features[i], self.align_corners)
            x = self.branch_ups[f"conv{i}"](torch.cat([x, self.branch_convs[f"conv{i}"](features[i])], dim=1))
        return self.decoder(x)  # (N, K, h, w)
