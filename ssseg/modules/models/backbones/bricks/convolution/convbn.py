from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import nn

from ..normalization import BuildNormalization


class ConvBN(nn.Sequential):
    """A convolution without bias, padded to keep the size at stride 1, and its normalization, as LeViT names them."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        *,
        stride: int = 1,
        groups: int = 1,
        norm_cfg: Mapping[str, Any] | None,
    ):
        conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False)
        norm = BuildNormalization(placeholder=out_channels, norm_cfg=norm_cfg)
        super().__init__(OrderedDict(c=conv, bn=norm))
