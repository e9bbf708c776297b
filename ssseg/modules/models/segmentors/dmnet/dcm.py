from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones import BuildActivation, BuildNormalization, conv_norm_act


class DynamicConvolutionalModule(nn.Module):
    """Convolves each channel of a map with a filter that is made from the map itself.

    Paper: He et al., "Dynamic Multi-scale Filters for Semantic Segmentation", ICCV 2019, section 3.2.

    Args:
        filter_size: height and width of the filters.
        is_fusion: mix the channels of the result with a 1x1 convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        filter_size: int,
        is_fusion: bool,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.filter_size = filter_size
        self.filter_gen_conv = nn.Conv2d(in_channels, out_channels, 1)
        self.input_redu_conv = nn.Sequential(*conv_norm_act(in_channels, out_channels, 1, **layers))
        self.norm = BuildNormalization(placeholder=out_channels, norm_cfg=norm_cfg)
        self.activate = BuildActivation(act_cfg)
        fusion = conv_norm_act(out_channels, out_channels, 1, **layers) if is_fusion else []
        self.fusion_conv = nn.Sequential(*fusion)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        size = self.filter_size
        filters = self.filter_gen_conv(F.adaptive_avg_pool2d(x, size)).reshape(-1, 1, size, size)  # (N * F, 1, s, s)
        x = self.input_redu_conv(x)  # (N, F, h, w)
        before, after = size // 2, (size - 1) // 2
        images_as_channels = F.pad(x, (before, after, before, after)).flatten(0, 1)[None]  # (1, N * F, ., .)
        y = F.conv2d(images_as_channels, filters, groups=filters.shape[0]).reshape(x.shape)
        return self.fusion_conv(self.activate(self.norm(y)))  # (N, F, h, w)
