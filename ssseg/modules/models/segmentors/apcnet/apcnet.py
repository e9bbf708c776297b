from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import BaseSegmentor
from .acm import AdaptiveContextModule


class APCNet(BaseSegmentor):
    """Backbone, adaptive context of its last map at several scales, classifier.

    Paper: He et al., "Adaptive Pyramid Context Network for Semantic Segmentation", CVPR 2019.
    """

    def build_head(self, *, in_channels: int, feats_channels: int, pool_scales: Sequence[int], dropout: float) -> None:
        self.acm_modules = nn.ModuleList(
            AdaptiveContextModule(in_channels, feats_channels, scale, **self.layer_cfg) for scale in pool_scales
        )
        joined = in_channels + len(pool_scales) * feats_channels
        self.decoder = nn.Sequential(
            *conv_norm_act(joined, feats_channels, 3, **self.layer_cfg),
            nn.Dropout2d(dropout),
            nn.Conv2d(feats_channels, self.num_classes, 1),
        )

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, in_channels, h, w)
        x = features[-1]
        return self.decoder(torch.cat([x, *(module(x) for module in self.acm_modules)], dim=1))  # (N, K, h, w)
