from torch import nn

from ...backbones import DepthwiseSeparableConv2d
from .fcn import FCN


class DepthwiseSeparableFCN(FCN):
    """FCN with depthwise separable convolutions, the head of Fast-SCNN.

    Paper: Poudel et al., "Fast-SCNN: Fast Semantic Segmentation Network", BMVC 2019, arXiv:1902.04502, section 3.3.4.
    """

    def build_conv(self, in_channels: int, out_channels: int) -> list[nn.Module]:
        """Return the layers of one 3x3 convolution of the head."""
        return [DepthwiseSeparableConv2d(in_channels, out_channels, 3, **self.layer_cfg)]
