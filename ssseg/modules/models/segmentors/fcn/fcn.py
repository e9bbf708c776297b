from itertools import pairwise

from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import BaseSegmentor


class FCN(BaseSegmentor):
    """Backbone, a few 3x3 convolutions on its last map, 1x1 classifier.

    Paper: Shelhamer et al., "Fully Convolutional Networks for Semantic Segmentation", TPAMI 2017, arXiv:1605.06211.
    """

    def build_head(self, *, in_channels: int, feats_channels: int, dropout: float, num_convs: int = 2) -> None:
        widths = [in_channels, *[feats_channels] * num_convs]
        convs = [layer for before, after in pairwise(widths) for layer in self.build_conv(before, after)]
        self.decoder = nn.Sequential(*convs, nn.Dropout2d(dropout), nn.Conv2d(widths[-1], self.num_classes, 1))

    def build_conv(self, in_channels: int, out_channels: int) -> list[nn.Module]:
        """Return the layers of one 3x3 convolution of the head."""
        return conv_norm_act(in_channels, out_channels, 3, **self.layer_cfg)

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, in_channels, h, w)
        return self.decoder(features[-1])  # (N, K, h, w)
