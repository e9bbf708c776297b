"""Convolutions with what follows them."""

from .convnormact import conv_norm_act
from .depthwiseseparable import DepthwiseSeparableConv2d
