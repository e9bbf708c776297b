from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from ...backbones import DepthwiseSeparableConv2d, conv_norm_act
from ..base import BaseSegmentor, resize_like
from .aspp import DepthwiseSeparableASPP


class Deeplabv3Plus(BaseSegmentor):
    """Deeplabv3 whose coarse result is refined with the backbone's first map.

    Paper: Chen et al., "Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation", ECCV 2018,
    arXiv:1802.02611.

    The head's `in_channels` are the widths of the first and the last selected map.
    """

    reads: ClassVar = {"in_channels": (0, -1)}

    def build_head(
        self,
        *,
        in_channels: Sequence[int],
        feats_channels: int,
        shortcut_channels: int,
        dilations: Sequence[int],
        dropout: float,
    ) -> None:
        low, high = in_channels
        self.aspp_net = DepthwiseSeparableASPP(
            high, feats_channels, dilations, align_corners=self.align_corners, **self.layer_cfg
        )
        self.shortcut = nn.Sequential(*conv_norm_act(low, shortcut_channels, 1, **self.layer_cfg))
        self.decoder = nn.Sequential(
            DepthwiseSeparableConv2d(feats_channels + shortcut_channels, feats_channels, 3, **self.layer_cfg),
            DepthwiseSeparableConv2d(feats_channels, feats_channels, 3, **self.layer_cfg),
            nn.Dropout2d(dropout),
            nn.Conv2d(feats_channels, self.num_classes, 1),
        )

    def predict(self, features: list[Tensor]) -> Tensor:  # from (N, low, h, w) to (N, high, ., .)
        shortcut = self.shortcut(features[0])  # (N, S, h, w)
        coarse = resize_like(self.aspp_net(features[-1]), shortcut, self.align_corners)  # (N, F, h, w)
        return self.decoder(torch.cat([coarse, shortcut], dim=1))  # (N, K, h, w)
