from collections.abc import Sequence

from torch import Tensor, nn

from ..base import BaseSegmentor
from .aspp import ASPP


class Deeplabv3(BaseSegmentor):
    """Backbone, atrous spatial pyramid pooling of its last map, 1x1 classifier.

    Paper: Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017, arXiv:1706.05587.
    """

    def build_head(self, *, in_channels: int, feats_channels: int, dilations: Sequence[int], dropout: float) -> None:
        self.aspp_net = ASPP(in_channels, feats_channels, dilations, align_corners=self.align_corners, **self.layer_cfg)
        self.decoder = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(feats_channels, self.num_classes, 1))

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, in_channels, h, w)
        return self.decoder(self.aspp_net(features[-1]))  # (N, K, h, w)
