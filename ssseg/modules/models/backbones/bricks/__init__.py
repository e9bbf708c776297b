"""Layers that several networks share."""

from ...upsampling.resize import resize_like
from .activation import ActivationBuilder, BuildActivation
from .convolution import AdaptivePaddingConv2d, ConvNormAct, DepthwiseSeparableConv2d, conv_norm_act
from .dropout import BuildDropout, DropoutBuilder
from .misc import SqueezeExcite, makedivisible
from .normalization import BuildNormalization, NormalizationBuilder
