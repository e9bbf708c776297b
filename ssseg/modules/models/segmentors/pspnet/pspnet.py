from collections.abc import Sequence

from torch import Tensor, nn

from ..base import BaseSegmentor
from .ppm import PyramidPoolingModule


class PSPNet(BaseSegmentor):
    """Backbone, pyramid pooling of its last map, 1x1 classifier.

    Paper: Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017, arXiv:1612.01105.
    """

    def build_head(self, *, in_channels: int, feats_channels: int, pool_scales: Sequence[int], dropout: float) -> None:
        self.ppm_net = PyramidPoolingModule(
            in_channels, feats_channels, pool_scales, align_corners=self.align_corners, **self.layer_cfg
        )
        self.decoder = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(feats_channels, self.num_classes, 1))

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, in_channels, h, w)
        return self.decoder(self.ppm_net(features[-1]))  # (N, K, h, w)
