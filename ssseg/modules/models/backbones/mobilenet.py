from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from .bricks import ConvNormAct, conv_norm_act, makedivisible
from .checks import indices_below, one_of
from .mobilenetv3 import MobileNetV3  # noqa: F401  (documented to be found here)
from .weights import load_pretrained

# OpenMMLab's, trained on ImageNet; Apache-2.0.
DEFAULT_MODEL_URLS = {
    "mobilenetv2": "https://download.openmmlab.com/mmclassification/v0/mobilenet_v2/mobilenet_v2_batch256_imagenet_20200708-3b2dc3af.pth"
}
AUTO_ASSERT_STRUCTURE_TYPES: dict[str, dict[str, Any]] = {"mobilenetv2": {"widen_factor": 1.0}}


class InvertedResidual(nn.Module):
    """Widen (1x1), filter each channel (3x3), narrow without activation (1x1); added to the input where shapes agree.

    Paper: Sandler et al., "MobileNetV2", CVPR 2018, arXiv:1801.04381, table 1 and figure 4 (d).

    Args:
        stride, dilation: of the 3x3 convolution.
        expand_ratio: inner channels / input channels; 1 leaves the first convolution out.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int,
        dilation: int,
        expand_ratio: int,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        hidden = in_channels * expand_ratio
        widen = [ConvNormAct(*conv_norm_act(in_channels, hidden, 1, **layers))] if expand_ratio != 1 else []
        filtered = conv_norm_act(hidden, hidden, 3, stride=stride, dilation=dilation, groups=hidden, **layers)
        narrow = conv_norm_act(hidden, out_channels, 1, norm_cfg=norm_cfg, act_cfg=None)
        self.conv = nn.Sequential(*widen, ConvNormAct(*filtered), ConvNormAct(*narrow))
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return x + self.conv(x) if self.has_shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    """Seven groups of inverted residuals; the first block of a late group can be dilated instead of strided.

    Paper: Sandler et al., "MobileNetV2", CVPR 2018, arXiv:1801.04381, table 2; dilation: section 6.3.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        in_channels: of the images.
        widen_factor: multiplies all widths, which are then rounded to multiples of 8.
        outstride: image size / size of the last map: 8, 16 or 32.
        out_indices: which of the seven groups to return.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_channels, H, W) to a tuple of maps; `out_channels` are their widths.

    Raises:
        ConfigError: there is no such outstride, or the weights do not fit.
    """

    # expansion, channels and number of blocks: t, c and n of table 2
    groups = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))
    strides_and_dilations = {
        8: ((1, 2, 2, 1, 1, 1, 1), (1, 1, 1, 2, 2, 4, 4)),
        16: ((1, 2, 2, 2, 1, 1, 1), (1, 1, 1, 1, 1, 2, 2)),
        32: ((1, 2, 2, 2, 1, 2, 1), (1, 1, 1, 1, 1, 1, 1)),
    }

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        widen_factor: float = 1.0,
        outstride: int = 8,
        out_indices: Sequence[int] = (1, 2, 4, 6),
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "ReLU6", "inplace": True},
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        self.structure_type, self.widen_factor = structure_type, widen_factor
        self.out_indices = indices_below(len(self.groups), out_indices)
        strides, dilations = one_of("outstride", outstride, self.strides_and_dilations)
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        width, widths = makedivisible(32 * widen_factor, 8), []
        self.conv1 = ConvNormAct(*conv_norm_act(in_channels, width, 3, stride=2, **layers))
        for i, (expand_ratio, channels, num_blocks) in enumerate(self.groups):
            blocks = []
            for j in range(num_blocks):
                stride, dilation = (strides[i], dilations[i]) if j == 0 else (1, 1)
                inner, width = width, makedivisible(channels * widen_factor, 8)
                blocks.append(
                    InvertedResidual(
                        inner, width, stride=stride, dilation=dilation, expand_ratio=expand_ratio, **layers
                    )
                )
            self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
            widths.append(width)
        self.out_channels = tuple(widths[i] for i in self.out_indices)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                input_key="conv1.conv.weight",
                unused=("conv2.", "classifier."),  # what follows the last group
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        x = self.conv1(x)  # (N, width, H/2, W/2)
        maps = []
        for i in range(len(self.groups)):
            x = getattr(self, f"layer{i + 1}")(x)
            maps.append(x)
        return tuple(maps[i] for i in self.out_indices)
