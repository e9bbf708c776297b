from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .bricks import BuildActivation, DepthwiseSeparableConv2d, conv_norm_act, resize_like
from .checks import indices_below
from .mobilenet import InvertedResidual
from .weights import load_pretrained

DEFAULT_MODEL_URLS: dict[str, str] = {}
AUTO_ASSERT_STRUCTURE_TYPES: dict[str, dict[str, Any]] = {}


class LearningToDownsample(nn.Module):
    """Three strided convolutions, whose output both paths share.

    Paper: Poudel et al., "Fast-SCNN", BMVC 2019, arXiv:1902.04502, section 3.2.1.
    """

    def __init__(self, widths: Sequence[int], **layers: Any):
        super().__init__()
        image, first, second, last = widths
        self.conv = nn.Sequential(*conv_norm_act(image, first, 3, stride=2, **layers))
        self.dsconv1 = DepthwiseSeparableConv2d(first, second, 3, stride=2, **layers)
        self.dsconv2 = DepthwiseSeparableConv2d(second, last, 3, stride=2, **layers)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.dsconv2(self.dsconv1(self.conv(x)))  # (N, last, H/8, W/8)


class GlobalFeatureExtractor(nn.Module):
    """Three groups of inverted residuals and a pyramid of averages.

    Paper: Poudel et al., "Fast-SCNN", BMVC 2019, arXiv:1902.04502, section 3.2.2; the pyramid: PSPNet,
    arXiv:1612.01105.
    """

    pool_scales = (1, 2, 3, 6)
    bottleneck1: nn.Module
    bottleneck2: nn.Module
    bottleneck3: nn.Module

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        strides: Sequence[int],
        out_channels: int,
        align_corners: bool,
        **layers: Any,
    ):
        super().__init__()
        self.align_corners = align_corners
        for i, (width, stride) in enumerate(zip(widths, strides, strict=True), start=1):
            blocks = []
            for step in (stride, 1, 1):
                blocks.append(InvertedResidual(in_channels, width, stride=step, dilation=1, expand_ratio=6, **layers))
                in_channels = width
            self.add_module(f"bottleneck{i}", nn.Sequential(*blocks))
        share = in_channels // len(self.pool_scales)
        self.ppm = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(scale), *conv_norm_act(in_channels, share, 1, **layers))
            for scale in self.pool_scales
        )
        joined = in_channels + len(self.pool_scales) * share
        self.out = nn.Sequential(*conv_norm_act(joined, out_channels, 3, **layers))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        x = self.bottleneck3(self.bottleneck2(self.bottleneck1(x)))  # (N, widths[-1], h/4, w/4)
        levels = [resize_like(pool(x), x, self.align_corners) for pool in self.ppm]
        return self.out(torch.cat([x, *levels], dim=1))


class FeatureFusion(nn.Module):
    """Adds the maps of the two paths, at the size of the larger one.

    Paper: Poudel et al., "Fast-SCNN", BMVC 2019, arXiv:1902.04502, section 3.2.3 and table 3.
    """

    def __init__(
        self,
        higher_in_channels: int,
        lower_in_channels: int,
        out_channels: int,
        align_corners: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.align_corners = align_corners
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": None}
        self.dwconv = nn.Sequential(
            *conv_norm_act(lower_in_channels, out_channels, 3, groups=out_channels, norm_cfg=norm_cfg, act_cfg=act_cfg)
        )
        self.conv_lower_res = nn.Sequential(*conv_norm_act(out_channels, out_channels, 1, **layers))
        self.conv_higher_res = nn.Sequential(*conv_norm_act(higher_in_channels, out_channels, 1, **layers))
        self.relu = BuildActivation(act_cfg)

    def forward(self, higher: Tensor, lower: Tensor) -> Tensor:  # (N, C, H, W) and (N, C', h, w)
        lower = self.dwconv(resize_like(lower, higher, self.align_corners))
        return self.relu(self.conv_higher_res(higher) + self.conv_lower_res(lower))


class FastSCNN(nn.Module):
    """A shared start, a deep path at low resolution, and their sum.

    Paper: Poudel et al., "Fast-SCNN: Fast Semantic Segmentation Network", BMVC 2019, arXiv:1902.04502.

    Args:
        structure_type: names the pretrained weights; none are published.
        in_channels: of the images.
        downsample_dw_channels: widths of the first two convolutions.
        global_in_channels: width of the third, which both paths read.
        global_block_channels, global_block_strides: of the groups of the deep path.
        global_out_channels: width of the deep path's map.
        fusion_out_channels: width of the sum.
        out_indices: which to return of the shared map, the deep path's, and the sum.
        align_corners: of all interpolations.
        pretrained: load weights, from `pretrained_model_path`.

    Shape:
        (N, in_channels, H, W) to maps at 1/8, 1/32 and 1/8; `out_channels` are their widths.

    Raises:
        ConfigError: there is no such index.
    """

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        downsample_dw_channels: Sequence[int] = (32, 48),
        global_in_channels: int = 64,
        global_block_channels: Sequence[int] = (64, 96, 128),
        global_block_strides: Sequence[int] = (2, 2, 1),
        global_out_channels: int = 128,
        fusion_out_channels: int = 128,
        out_indices: Sequence[int] = (0, 1, 2),
        align_corners: bool = False,
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "ReLU", "inplace": True},
        pretrained: bool = False,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        self.structure_type, self.out_indices = structure_type, indices_below(3, out_indices)
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.learning_to_downsample = LearningToDownsample(
            (in_channels, *downsample_dw_channels, global_in_channels), **layers
        )
        self.global_feature_extractor = GlobalFeatureExtractor(
            global_in_channels,
            global_block_channels,
            global_block_strides,
            global_out_channels,
            align_corners,
            **layers,
        )
        self.feature_fusion = FeatureFusion(
            global_in_channels, global_out_channels, fusion_out_channels, align_corners, **layers
        )
        widths = (global_in_channels, global_out_channels, fusion_out_channels)
        self.out_channels = tuple(widths[i] for i in self.out_indices)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                input_key="learning_to_downsample.conv.0.weight",
                unused=(),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        higher = self.learning_to_downsample(x)
        lower = self.global_feature_extractor(higher)
        maps = (higher, lower, self.feature_fusion(higher, lower))
        return tuple(maps[i] for i in self.out_indices)
