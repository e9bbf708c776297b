from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .bricks import BuildNormalization, conv_norm_act
from .weights import load_pretrained

DEFAULT_MODEL_URLS: dict[str, str] = {}
AUTO_ASSERT_STRUCTURE_TYPES: dict[str, dict[str, Any]] = {}


class GlobalContextExtractor(nn.Module):
    """Scales each channel by a gate that depends on the averages of all channels.

    Paper: Wu et al., "CGNet", TIP 2020, arXiv:1811.08201, section III-B, f_glo.
    """

    def __init__(self, channels: int, reduction: int):
        super().__init__()
        squeezed = channels // reduction
        self.fc = nn.Sequential(
            nn.Linear(channels, squeezed), nn.ReLU(inplace=True), nn.Linear(squeezed, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return x * self.fc(x.mean(dim=(2, 3)))[..., None, None]


class ContextGuidedBlock(nn.Module):
    """Joins each position's neighbours and its wider surroundings, and scales them by the context of the whole map.

    Paper: Wu et al., "CGNet", TIP 2020, arXiv:1811.08201, section III-B and figure 3.

    Args:
        dilation: of the convolution that sees the surroundings.
        reduction: see `GlobalContextExtractor`.
        downsample: halve the map; else the input is added to the output.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dilation: int,
        reduction: int,
        downsample: bool = False,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.downsample = downsample
        width, kernel, stride = (out_channels, 3, 2) if downsample else (out_channels // 2, 1, 1)
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": _a_channel(act_cfg, width)}
        self.conv1x1 = nn.Sequential(*conv_norm_act(in_channels, width, kernel, stride=stride, **layers))
        self.f_loc = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.f_sur = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, groups=width, bias=False)
        self.bn = BuildNormalization(placeholder=2 * width, norm_cfg=norm_cfg)
        self.activate = nn.PReLU(2 * width)
        self.bottleneck = nn.Conv2d(2 * width, out_channels, 1, bias=False) if downsample else nn.Identity()
        self.f_glo = GlobalContextExtractor(out_channels, reduction)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = self.conv1x1(x)
        y = self.activate(self.bn(torch.cat([self.f_loc(y), self.f_sur(y)], dim=1)))
        y = self.f_glo(self.bottleneck(y))
        return y if self.downsample else x + y


class CGNet(nn.Module):
    """A small network of context guided blocks, to which the image itself is added at every size.

    Paper: Wu et al., "CGNet: A Light-weight Context Guided Network for Semantic Segmentation", TIP 2020,
    arXiv:1811.08201, table I.

    Args:
        structure_type: names the pretrained weights; none are published.
        in_channels: of the images.
        num_channels: widths of the stem and of the two stages.
        num_blocks, dilations, reductions: of the two stages.
        pretrained: load weights, from `pretrained_model_path`.

    Shape:
        (N, in_channels, H, W) to three maps at 1/2, 1/4 and 1/8, rounded up; `out_channels` are their widths.
    """

    level1: nn.Sequential
    level2: nn.Sequential
    norm_prelu_0: nn.Module
    norm_prelu_1: nn.Module

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        num_channels: Sequence[int] = (32, 64, 128),
        num_blocks: Sequence[int] = (3, 21),
        dilations: Sequence[int] = (2, 4),
        reductions: Sequence[int] = (8, 16),
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "PReLU"},
        pretrained: bool = False,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        self.structure_type = structure_type
        stem, *widths = num_channels
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": _a_channel(act_cfg, stem)}
        self.stem = nn.Sequential(
            nn.Sequential(*conv_norm_act(in_channels, stem, 3, stride=2, **layers)),
            nn.Sequential(*conv_norm_act(stem, stem, 3, **layers)),
            nn.Sequential(*conv_norm_act(stem, stem, 3, **layers)),
        )
        self.halve = nn.AvgPool2d(3, stride=2, padding=1)
        self.out_channels = (stem + in_channels, 2 * widths[0] + in_channels, 2 * widths[1])
        for i, (width, inner) in enumerate(zip(widths, self.out_channels, strict=False)):
            options: dict[str, Any] = {"dilation": dilations[i], "reduction": reductions[i]}
            options |= {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
            self.add_module(f"norm_prelu_{i}", _norm_prelu(inner, norm_cfg))
            first = ContextGuidedBlock(inner, width, downsample=True, **options)
            others = (ContextGuidedBlock(width, width, **options) for _ in range(num_blocks[i] - 1))
            self.add_module(f"level{i + 1}", nn.Sequential(first, *others))
        self.norm_prelu_2 = _norm_prelu(self.out_channels[2], norm_cfg)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                input_key="stem.0.0.weight",
                unused=(),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        half = self.halve(x)  # (N, C, H/2, W/2)
        quarter = self.halve(half)  # (N, C, H/4, W/4)
        map0 = self.norm_prelu_0(torch.cat([self.stem(x), half], dim=1))
        first = self.level1[0](map0)
        map1 = self.norm_prelu_1(torch.cat([self.level1[1:](first), first, quarter], dim=1))
        first = self.level2[0](map1)
        map2 = self.norm_prelu_2(torch.cat([first, self.level2[1:](first)], dim=1))  # here the first block comes first
        return map0, map1, map2


def _norm_prelu(channels: int, norm_cfg: Mapping[str, Any] | None) -> nn.Sequential:
    return nn.Sequential(BuildNormalization(placeholder=channels, norm_cfg=norm_cfg), nn.PReLU(channels))


def _a_channel(act_cfg: Mapping[str, Any] | None, channels: int) -> Mapping[str, Any] | None:
    """Give a PReLU one parameter a channel; other activations stay as they are."""
    if act_cfg is None or act_cfg.get("type") != "PReLU":
        return act_cfg
    return {**act_cfg, "num_parameters": channels}
