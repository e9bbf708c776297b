"""Layers that several networks share."""

from .activation import ActivationBuilder, BuildActivation
from .convolution import AdaptivePaddingConv2d, ConvNormAct, DepthwiseSeparableConv2d, conv_norm_act
from .dropout import BuildDropout, DropoutBuilder
from .misc import SqueezeExcite, makedivisible, resize_like
from .normalization import BuildNormalization, NormalizationBuilder
