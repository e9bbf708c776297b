from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import SelfAttentionBlock
from .classcontext import class_vectors, spread_over_pixels


class ImageLevelContext(nn.Module):
    """Attention of a map to itself, with the image's average beside every position.

    Paper: Jin et al., "ISNet", ICCV 2021, arXiv:2108.12382, section 3.2.

    Args:
        concat_input: mix the result with the map.
    """

    def __init__(
        self,
        channels: int,
        transform_channels: int,
        concat_input: bool,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.correlate_net = SelfAttentionBlock(
            2 * channels, channels, transform_channels, channels, key_query_num_convs=2, **layers
        )
        self.bottleneck = nn.Sequential(*conv_norm_act(2 * channels, channels, 3, **layers)) if concat_input else None

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        average = F.adaptive_avg_pool2d(x, 1).expand_as(x)
        context = self.correlate_net(x, torch.cat([average, x], dim=1))
        return context if self.bottleneck is None else self.bottleneck(torch.cat([x, context], dim=1))


class SemanticLevelContext(nn.Module):
    """Attention of a map to the vectors of the classes that a first prediction finds in it.

    Paper: Jin et al., "ISNet", ICCV 2021, arXiv:2108.12382, section 3.3.

    Args:
        concat_input: mix the result with the image-level context.

    Shape:
        map (N, C, h, w), scores (N, K, h, w), image-level context (N, C, h, w) -> (N, C, h, w).
    """

    def __init__(
        self,
        channels: int,
        transform_channels: int,
        concat_input: bool,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.correlate_net = SelfAttentionBlock(
            channels, channels, transform_channels, channels, key_query_num_convs=2, **layers
        )
        self.bottleneck = nn.Sequential(*conv_norm_act(2 * channels, channels, 3, **layers)) if concat_input else None

    def forward(self, x: Tensor, scores: Tensor, image_context: Tensor) -> Tensor:
        classes = spread_over_pixels(class_vectors(x, scores), scores)
        context = self.correlate_net(x, classes)
        return context if self.bottleneck is None else self.bottleneck(torch.cat([image_context, context], dim=1))
