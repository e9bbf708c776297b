from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...utils.errors import ConfigError
from .bricks import BuildActivation, BuildNormalization, DepthwiseSeparableConv2d, conv_norm_act, resize_like
from .checks import indices_below
from .weights import load_pretrained

DEFAULT_MODEL_URLS: dict[str, str] = {}
AUTO_ASSERT_STRUCTURE_TYPES: dict[str, dict[str, Any]] = {}


class DetailBranch(nn.Module):
    """Wide and shallow: three groups of 3x3 convolutions, the first of each strided.

    Paper: Yu et al., "BiSeNet V2", IJCV 2021, arXiv:2004.02147, section 4.1.
    """

    def __init__(self, in_channels: int, widths: Sequence[int], **layers: Any):
        super().__init__()
        self.detail_branch = nn.Sequential()
        for width, num_convs in zip(widths, (2, 3, 3), strict=True):
            convs = conv_norm_act(in_channels, width, 3, stride=2, **layers)
            for _ in range(num_convs - 1):
                convs += conv_norm_act(width, width, 3, **layers)
            self.detail_branch.append(nn.Sequential(*convs))
            in_channels = width

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.detail_branch(x)  # (N, widths[-1], H/8, W/8)


class StemBlock(nn.Module):
    """Quarters the map by convolutions and by a pooling, and joins the two.

    Paper: Yu et al., "BiSeNet V2", IJCV 2021, arXiv:2004.02147, figure 4 (a).
    """

    def __init__(self, in_channels: int, out_channels: int, **layers: Any):
        super().__init__()
        half = out_channels // 2
        self.conv_first = nn.Sequential(*conv_norm_act(in_channels, out_channels, 3, stride=2, **layers))
        self.convs = nn.Sequential(
            *conv_norm_act(out_channels, half, 1, **layers), *conv_norm_act(half, out_channels, 3, stride=2, **layers)
        )
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.fuse_last = nn.Sequential(*conv_norm_act(2 * out_channels, out_channels, 3, **layers))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        x = self.conv_first(x)
        return self.fuse_last(torch.cat([self.convs(x), self.pool(x)], dim=1))  # (N, out_channels, H/4, W/4)


class GELayer(nn.Module):
    """Gather and expand: a wide depthwise convolution between two narrow ones, added to the input.

    Paper: Yu et al., "BiSeNet V2", IJCV 2021, arXiv:2004.02147, figure 5 (b) and, with a stride, (c).

    Args:
        expansion: inner width / input width.
        stride: 1 or 2.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expansion: int,
        stride: int,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        without_act: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": None}
        hidden = in_channels * expansion
        self.conv1 = nn.Sequential(*conv_norm_act(in_channels, in_channels, 3, **layers))
        if stride == 1:
            self.dwconv = nn.Sequential(*conv_norm_act(in_channels, hidden, 3, groups=in_channels, **layers))
            self.shortcut = nn.Sequential()
        else:
            conv, norm, _ = conv_norm_act(in_channels, hidden, 3, stride=stride, groups=in_channels, **without_act)
            self.dwconv = nn.Sequential(conv, norm, *conv_norm_act(hidden, hidden, 3, groups=hidden, **layers))
            self.shortcut = nn.Sequential(
                DepthwiseSeparableConv2d(in_channels, out_channels, 3, stride=stride, **without_act)
            )
        self.conv2 = nn.Sequential(*conv_norm_act(hidden, out_channels, 1, **without_act))
        self.act = BuildActivation(act_cfg)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.act(self.conv2(self.dwconv(self.conv1(x))) + self.shortcut(x))


class CEBlock(nn.Module):
    """Context embedding: adds the average over the map to every position.

    Paper: Yu et al., "BiSeNet V2", IJCV 2021, arXiv:2004.02147, figure 4 (b).
    """

    def __init__(self, channels: int, norm_cfg: Mapping[str, Any] | None, act_cfg: Mapping[str, Any] | None):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        norm = BuildNormalization(placeholder=channels, norm_cfg=norm_cfg)
        self.gap = nn.Sequential(nn.AdaptiveAvgPool2d(1), norm)
        self.conv_gap = nn.Sequential(*conv_norm_act(channels, channels, 1, **layers))
        self.conv_last = nn.Sequential(*conv_norm_act(channels, channels, 3, **layers))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.conv_last(x + self.conv_gap(self.gap(x)))


class SemanticBranch(nn.Module):
    """Narrow and deep: a stem, three stages of gather-and-expand layers, and the average over the map.

    Paper: Yu et al., "BiSeNet V2", IJCV 2021, arXiv:2004.02147, section 4.2 and table 1.
    """

    stage2: nn.Module
    stage3: nn.Module
    stage4: nn.Module

    def __init__(self, in_channels: int, widths: Sequence[int], expansion: int, **layers: Any):
        super().__init__()
        self.stage1 = StemBlock(in_channels, widths[0], **layers)
        for i, num_layers in zip((1, 2, 3), (2, 2, 4), strict=True):
            first = GELayer(widths[i - 1], widths[i], expansion, stride=2, **layers)
            others = (GELayer(widths[i], widths[i], expansion, stride=1, **layers) for _ in range(num_layers - 1))
            self.add_module(f"stage{i + 1}", nn.Sequential(first, *others))
        self.stage4_CEBlock = CEBlock(widths[3], **layers)

    def forward(self, x: Tensor) -> list[Tensor]:  # (N, C, H, W)
        maps = [self.stage1(x)]  # 1/4
        for stage in (self.stage2, self.stage3, self.stage4):  # 1/8, 1/16 and 1/32
            maps.append(stage(maps[-1]))
        return [*maps, self.stage4_CEBlock(maps[-1])]


class BGALayer(nn.Module):
    """Bilateral guided aggregation: each branch gates the other, at both sizes, and the results are added.

    Paper: Yu et al., "BiSeNet V2", IJCV 2021, arXiv:2004.02147, figure 6.
    """

    def __init__(
        self, channels: int, align_corners: bool, norm_cfg: Mapping[str, Any] | None, act_cfg: Mapping[str, Any] | None
    ):
        super().__init__()
        self.align_corners = align_corners
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": None}
        strided, norm, _ = conv_norm_act(channels, channels, 3, stride=2, **layers)
        self.detail_dwconv = nn.Sequential(_depthwise_separable(channels, norm_cfg))
        self.detail_down = nn.Sequential(strided, norm, nn.AvgPool2d(3, stride=2, padding=1))
        self.semantic_conv = nn.Sequential(*conv_norm_act(channels, channels, 3, **layers))
        self.semantic_dwconv = nn.Sequential(_depthwise_separable(channels, norm_cfg))
        self.conv = nn.Sequential(*conv_norm_act(channels, channels, 3, norm_cfg=norm_cfg, act_cfg=act_cfg))

    def forward(self, detail: Tensor, semantic: Tensor) -> Tensor:  # (N, C, H, W) and (N, C, h, w)
        gate = resize_like(self.semantic_conv(semantic), detail, self.align_corners).sigmoid()
        low = self.detail_down(detail) * self.semantic_dwconv(semantic).sigmoid()  # (N, C, h, w)
        return self.conv(self.detail_dwconv(detail) * gate + resize_like(low, detail, self.align_corners))


def _depthwise_separable(channels: int, norm_cfg: Mapping[str, Any] | None) -> nn.Sequential:
    """Unlike `DepthwiseSeparableConv2d`, without a normalization after the second convolution."""
    conv, norm, _ = conv_norm_act(channels, channels, 3, groups=channels, norm_cfg=norm_cfg, act_cfg=None)
    pointwise = nn.Conv2d(channels, channels, 1, bias=False)
    names = ("depthwise_conv", "depthwise_bn", "pointwise_conv")
    return nn.Sequential(OrderedDict(zip(names, (conv, norm, pointwise), strict=True)))


class BiSeNetV2(nn.Module):
    """A wide shallow branch for detail and a narrow deep one for context, each of which gates the other.

    Paper: Yu et al., "BiSeNet V2: Bilateral Network with Guided Aggregation for Real-time Semantic Segmentation", IJCV
    2021, arXiv:2004.02147.

    Args:
        structure_type: names the pretrained weights; none are published.
        in_channels: of the images.
        detail_channels: widths of the three groups of the detail branch.
        semantic_channels: widths of the four stages of the other; the last is that of the detail
            branch's last group.
        semantic_expansion_ratio: see `GELayer`.
        bga_channels: width of the joined map, that of the branches.
        out_indices: which to return of the four stages of the semantic branch and the joined map.
        align_corners: of all interpolations.
        pretrained: load weights, from `pretrained_model_path`.

    Shape:
        (N, in_channels, H, W) to maps at 1/4, 1/8, 1/16, 1/32 and 1/8; `out_channels` are their widths.

    Raises:
        ConfigError: the two branches do not end with `bga_channels`, or there is no such index.
    """

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        detail_channels: Sequence[int] = (64, 64, 128),
        semantic_channels: Sequence[int] = (16, 32, 64, 128),
        semantic_expansion_ratio: int = 6,
        bga_channels: int = 128,
        out_indices: Sequence[int] = (0, 1, 2, 3, 4),
        align_corners: bool = False,
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "ReLU", "inplace": True},
        pretrained: bool = False,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        if not detail_channels[-1] == semantic_channels[-1] == bga_channels:
            raise ConfigError(
                f"SEGMENTOR_CFG['backbone']['bga_channels']: is {bga_channels}, must be the last number of "
                f"'detail_channels', {detail_channels[-1]}, and of 'semantic_channels', {semantic_channels[-1]}."
            )
        self.structure_type, self.out_indices = structure_type, indices_below(5, out_indices)
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.detail = DetailBranch(in_channels, detail_channels, **layers)
        self.semantic = SemanticBranch(in_channels, semantic_channels, semantic_expansion_ratio, **layers)
        self.bga = BGALayer(bga_channels, align_corners, **layers)
        self.out_channels = tuple((*semantic_channels, bga_channels)[i] for i in self.out_indices)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                input_key="detail.detail_branch.0.0.weight",
                unused=(),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        *maps, context = self.semantic(x)
        maps.append(self.bga(self.detail(x), context))
        return tuple(maps[i] for i in self.out_indices)
