from typing import Any

from torch import nn

from ...backbones import DepthwiseSeparableConv2d
from ..deeplabv3 import ASPP


class DepthwiseSeparableASPP(ASPP):
    """ASPP whose dilated branches are depthwise separable.

    Paper: Chen et al., "Encoder-Decoder with Atrous Separable Convolution", ECCV 2018, arXiv:1802.02611, section 3.1.
    """

    def build_dilated(self, in_channels: int, out_channels: int, dilation: int, **layers: Any) -> nn.Module:
        """Return a branch of a dilated 3x3 convolution."""
        return DepthwiseSeparableConv2d(in_channels, out_channels, 3, dilation=dilation, **layers)
