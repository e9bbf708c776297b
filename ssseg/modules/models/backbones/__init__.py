"""Image encoders, and the bricks that they and the segmentors are made of."""

from .bricks import (
    ActivationBuilder,
    BuildActivation,
    BuildDropout,
    BuildNormalization,
    DepthwiseSeparableConv2d,
    DropoutBuilder,
    NormalizationBuilder,
    conv_norm_act,
    makedivisible,
)
from .builder import BackboneBuilder, BuildBackbone
