"""Layers that several networks share."""

from .activation import ActivationBuilder, BuildActivation
from .convolution import DepthwiseSeparableConv2d, conv_norm_act
from .dropout import BuildDropout, DropoutBuilder
from .misc import makedivisible
from .normalization import BuildNormalization, NormalizationBuilder
