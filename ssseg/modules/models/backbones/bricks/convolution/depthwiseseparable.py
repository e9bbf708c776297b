from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import nn

from .convnormact import conv_norm_act


class DepthwiseSeparableConv2d(nn.Sequential):
    """A convolution of each channel on its own, then a 1x1 convolution; each with normalization and activation.

    Paper: Chollet, "Xception", CVPR 2017, arXiv:1610.02357, section 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        depthwise = conv_norm_act(
            in_channels, in_channels, kernel_size, stride=stride, dilation=dilation, groups=in_channels, **layers
        )
        pointwise = conv_norm_act(in_channels, out_channels, 1, **layers)
        names = [f"{part}_{layer}" for part in ("depthwise", "pointwise") for layer in ("conv", "bn", "activate")]
        super().__init__(OrderedDict(zip(names, depthwise + pointwise, strict=True)))
