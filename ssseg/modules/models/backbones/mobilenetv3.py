from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from .bricks import AdaptivePaddingConv2d, BuildActivation, BuildNormalization, ConvNormAct, SqueezeExcite
from .checks import indices_below, one_of
from .weights import load_pretrained

# As OpenMMLab serves them, trained on ImageNet; Apache-2.0.
DEFAULT_MODEL_URLS = {
    "mobilenetv3_small": "https://download.openmmlab.com/pretrain/third_party/mobilenet_v3_small-47085aa1.pth",
    "mobilenetv3_large": "https://download.openmmlab.com/pretrain/third_party/mobilenet_v3_large-bc2c3fd3.pth",
}
AUTO_ASSERT_STRUCTURE_TYPES = {
    name: {"arch_type": name.removeprefix("mobilenetv3_"), "reduction_factor": 1} for name in DEFAULT_MODEL_URLS
}


class Layer(NamedTuple):
    """A row of the paper's table 1 or 2, from its second on."""

    kernel_size: int
    hidden: int
    channels: int
    squeezes: bool
    act: str
    stride: int


RELU, SWISH = "ReLU", "HardSwish"
ARCHS = {
    "small": (
        Layer(3, 16, 16, True, RELU, 2),
        Layer(3, 72, 24, False, RELU, 2),
        Layer(3, 88, 24, False, RELU, 1),
        Layer(5, 96, 40, True, SWISH, 2),
        Layer(5, 240, 40, True, SWISH, 1),
        Layer(5, 240, 40, True, SWISH, 1),
        Layer(5, 120, 48, True, SWISH, 1),
        Layer(5, 144, 48, True, SWISH, 1),
        Layer(5, 288, 96, True, SWISH, 2),
        Layer(5, 576, 96, True, SWISH, 1),
        Layer(5, 576, 96, True, SWISH, 1),
    ),
    "large": (
        Layer(3, 16, 16, False, RELU, 1),
        Layer(3, 64, 24, False, RELU, 2),
        Layer(3, 72, 24, False, RELU, 1),
        Layer(5, 72, 40, True, RELU, 2),
        Layer(5, 120, 40, True, RELU, 1),
        Layer(5, 120, 40, True, RELU, 1),
        Layer(3, 240, 80, False, SWISH, 2),
        Layer(3, 200, 80, False, SWISH, 1),
        Layer(3, 184, 80, False, SWISH, 1),
        Layer(3, 184, 80, False, SWISH, 1),
        Layer(3, 480, 112, True, SWISH, 1),
        Layer(3, 672, 112, True, SWISH, 1),
        Layer(5, 672, 160, True, SWISH, 2),
        Layer(5, 960, 160, True, SWISH, 1),
        Layer(5, 960, 160, True, SWISH, 1),
    ),
}
# of each arch the layers from which on the dilation is 2 and 4 instead of a stride, and the width of the last one
DILATED_FROM = {"small": (4, 9), "large": (7, 13)}
LAST_CHANNELS = {"small": 576, "large": 960}


def named(conv: nn.Conv2d, norm_cfg: Mapping[str, Any] | None, act_cfg: Mapping[str, Any] | None) -> ConvNormAct:
    """Return the convolution with its normalization and activation, as published checkpoints name them."""
    norm = BuildNormalization(placeholder=conv.out_channels, norm_cfg=norm_cfg)
    return ConvNormAct(conv, norm, BuildActivation(act_cfg))


class InvertedResidualV3(nn.Module):
    """Widen (1x1), filter each channel, weigh the channels, narrow without activation (1x1).

    Paper: Howard et al., "Searching for MobileNetV3", ICCV 2019, arXiv:1905.02244, figure 4.

    Args:
        layer: with its stride before dilation.
        dilation: None keeps the stride.
    """

    def __init__(self, in_channels: int, layer: Layer, dilation: int | None, norm_cfg: Mapping[str, Any] | None):
        super().__init__()
        kernel_size, hidden, channels, squeezes, act, stride = layer
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": {"type": act}}
        conv: dict[str, Any] = {"stride": 1 if dilation else stride, "dilation": dilation or 1}
        conv |= {"groups": hidden, "bias": False}
        depthwise: nn.Conv2d
        if stride == 2:
            depthwise = AdaptivePaddingConv2d(hidden, hidden, kernel_size, **conv)
        else:
            padding = conv["dilation"] * (kernel_size - 1) // 2
            depthwise = nn.Conv2d(hidden, hidden, kernel_size, padding=padding, **conv)
        self.has_shortcut = stride == 1 and in_channels == channels
        widen = nn.Conv2d(in_channels, hidden, 1, bias=False)
        self.expand_conv = named(widen, **layers) if hidden != in_channels else nn.Identity()
        self.depthwise_conv = named(depthwise, **layers)
        self.se = SqueezeExcite(hidden) if squeezes else nn.Identity()
        self.linear_conv = named(nn.Conv2d(hidden, channels, 1, bias=False), norm_cfg, None)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = self.linear_conv(self.se(self.depthwise_conv(self.expand_conv(x))))
        return x + y if self.has_shortcut else y


class MobileNetV3(nn.Module):
    """Inverted residuals with squeeze-and-excitation, found by search; the last stages are dilated, not strided.

    Paper: Howard et al., "Searching for MobileNetV3", ICCV 2019, arXiv:1905.02244, tables 1 and 2; dilation: section
    6.4.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        in_channels: of the images.
        arch_type: "small" or "large".
        outstride: image size / size of the last map: 8.
        out_indices: which layers to return: 0 .. 12 of the small network, 0 .. 16 of the large one.
        reduction_factor: divides the widths of the last three layers but one, as in section 6.4 of the paper.
        act_cfg: of the first and the last convolution; the layers between have those of the tables.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_channels, H, W) to a tuple of maps; `out_channels` are their widths.

    Raises:
        ConfigError: there is no such arch, outstride or layer, or the weights do not fit.
    """

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        arch_type: str = "large",
        outstride: int = 8,
        out_indices: Sequence[int] = (1, 3, 16),
        reduction_factor: int = 1,
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "HardSwish"},
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        rows = one_of("arch_type", arch_type, ARCHS)
        one_of("outstride", outstride, {8: None})
        self.structure_type, self.arch_type, self.reduction_factor = structure_type, arch_type, reduction_factor
        self.out_indices = indices_below(len(rows) + 2, out_indices)
        first = AdaptivePaddingConv2d(in_channels, 16, 3, stride=2, bias=False)
        self.layer0 = named(first, norm_cfg, act_cfg)
        by_two, by_four = DILATED_FROM[arch_type]
        widths = [16]
        for i, row in enumerate(rows, start=1):
            layer = row
            if i > len(rows) - 3:
                layer = row._replace(hidden=row.hidden // reduction_factor, channels=row.channels // reduction_factor)
            dilation = 4 if i >= by_four else 2 if i >= by_two else None
            self.add_module(f"layer{i}", InvertedResidualV3(widths[-1], layer, dilation, norm_cfg))
            widths.append(layer.channels)
        last = nn.Conv2d(widths[-1], LAST_CHANNELS[arch_type], 1, bias=False)
        self.add_module(f"layer{len(rows) + 1}", named(last, norm_cfg, act_cfg))
        widths.append(LAST_CHANNELS[arch_type])
        self.out_channels = tuple(widths[i] for i in self.out_indices)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                input_key="layer0.conv.weight",
                unused=("classifier.", "conv2."),  # what follows the last layer
            )
        self.num_layers = len(rows) + 2

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        maps = []
        for i in range(self.num_layers):
            x = getattr(self, f"layer{i}")(x)
            maps.append(x)
        return tuple(maps[i] for i in self.out_indices)
