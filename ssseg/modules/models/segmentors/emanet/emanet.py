import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones import BuildNormalization, conv_norm_act
from ..base import BaseSegmentor
from .ema import EMAModule


class EMANet(BaseSegmentor):
    """Backbone, expectation-maximization attention on its last map, classifier.

    Paper: Li et al., "Expectation-Maximization Attention Networks for Semantic Segmentation", ICCV 2019,
    arXiv:1907.13426.
    """

    def build_head(
        self, *, in_channels: int, feats_channels: int, num_bases: int, num_stages: int, momentum: float, dropout: float
    ) -> None:
        width = feats_channels
        self.ema_in_conv = nn.Sequential(*conv_norm_act(in_channels, width, 3, **self.layer_cfg))
        # no gradient comes back through the attention, so this one keeps its initial weights
        self.ema_mid_conv = nn.Conv2d(width, width, 1).requires_grad_(False)
        self.ema_module = EMAModule(width, num_bases, num_stages, momentum)
        self.ema_out_conv = nn.Sequential(
            nn.Conv2d(width, width, 1, bias=False), BuildNormalization(placeholder=width, norm_cfg=self.norm_cfg)
        )
        self.bottleneck = nn.Sequential(*conv_norm_act(width, width, 3, **self.layer_cfg))
        self.decoder = nn.Sequential(
            *conv_norm_act(in_channels + width, width, 3, **self.layer_cfg),
            nn.Dropout2d(dropout),
            nn.Conv2d(width, self.num_classes, 1),
        )

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, in_channels, h, w)
        x = self.ema_in_conv(features[-1])  # (N, F, h, w)
        rebuilt = F.relu(self.ema_module(self.ema_mid_conv(x)))
        x = self.bottleneck(F.relu(x + self.ema_out_conv(rebuilt)))
        return self.decoder(torch.cat([features[-1], x], dim=1))  # (N, K, h, w)
