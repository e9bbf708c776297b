"""Atrous spatial pyramid pooling with depthwise separable convolutions and a decoder."""

from .aspp import DepthwiseSeparableASPP
from .deeplabv3plus import Deeplabv3Plus
