from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import nn

from ..activation import BuildActivation
from ..normalization import BuildNormalization


def conv_norm_act(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    norm_cfg: Mapping[str, Any] | None,
    act_cfg: Mapping[str, Any] | None,
) -> list[nn.Module]:
    """Return a convolution without bias, padded to keep the size at stride 1, its normalization and its activation.

    A list, not a module: the layers then lie flat in the `nn.Sequential` that takes them, as checkpoints name them.
    """
    padding = dilation * (kernel_size - 1) // 2
    return [
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias=False),
        BuildNormalization(placeholder=out_channels, norm_cfg=norm_cfg),
        BuildActivation(act_cfg),
    ]


class ConvNormAct(nn.Sequential):
    """The three layers of `conv_norm_act`, under the names that OpenMMLab's checkpoints of small networks have."""

    def __init__(self, conv: nn.Module, norm: nn.Module, act: nn.Module):
        super().__init__(OrderedDict(conv=conv, bn=norm, activation=act))
