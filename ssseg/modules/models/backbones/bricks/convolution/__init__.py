"""Convolutions with what follows them."""

from .adaptivepadding import AdaptivePaddingConv2d
from .convnormact import ConvNormAct, conv_norm_act
from .depthwiseseparable import DepthwiseSeparableConv2d
