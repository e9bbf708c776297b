"""Atrous spatial pyramid pooling with depthwise separable convolutions and a decoder."""

from .aspp import DepthwiseSeparableASPP
