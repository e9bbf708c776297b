from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import BaseSegmentor
from .dcm import DynamicConvolutionalModule


class DMNet(BaseSegmentor):
    """Backbone, its last map convolved with filters of several sizes made from it, classifier.

    Paper: He et al., "Dynamic Multi-scale Filters for Semantic Segmentation", ICCV 2019.
    """

    def build_head(
        self, *, in_channels: int, feats_channels: int, filter_sizes: Sequence[int], is_fusion: bool, dropout: float
    ) -> None:
        self.dcm_modules = nn.ModuleList(
            DynamicConvolutionalModule(in_channels, feats_channels, size, is_fusion, **self.layer_cfg)
            for size in filter_sizes
        )
        joined = in_channels + len(filter_sizes) * feats_channels
        self.decoder = nn.Sequential(
            *conv_norm_act(joined, feats_channels, 3, **self.layer_cfg),
            nn.Dropout2d(dropout),
            nn.Conv2d(feats_channels, self.num_classes, 1),
        )

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, in_channels, h, w)
        x = features[-1]
        return self.decoder(torch.cat([x, *(module(x) for module in self.dcm_modules)], dim=1))  # (N, K, h, w)
