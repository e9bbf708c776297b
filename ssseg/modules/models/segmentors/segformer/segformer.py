from collections.abc import Sequence
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import BaseSegmentor, resize_like


class Segformer(BaseSegmentor):
    """Backbone, its maps brought to one width and to the size of the finest, joined, 1x1 classifier.

    Paper: Xie et al., "SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers", NeurIPS
    2021, arXiv:2105.15203, section 3.2.

    The head's `in_channels_list` are the widths of the selected maps. By default, as in OpenMMLab's variant, each level
    has its own normalization and activation, and the finest is joined first; with `linear_levels=True`, as in the paper
    and in the authors' weights, levels are projected linearly, and the coarsest is joined first.
    """

    reads: ClassVar = {"in_channels_list": None}

    def build_head(
        self, *, in_channels_list: Sequence[int], feats_channels: int, dropout: float, linear_levels: bool = False
    ) -> None:
        self.linear_levels = linear_levels
        self.convs = nn.ModuleList(nn.Sequential(*self.project(width, feats_channels)) for width in in_channels_list)
        self.decoder = nn.Sequential(
            *conv_norm_act(len(in_channels_list) * feats_channels, feats_channels, 1, **self.layer_cfg),
            nn.Dropout2d(dropout),
            nn.Conv2d(feats_channels, self.num_classes, 1),
        )

    def project(self, width: int, feats_channels: int) -> list[nn.Module]:
        """Return the layers that bring a level of `width` channels to `feats_channels`."""
        if self.linear_levels:
            return [nn.Conv2d(width, feats_channels, 1)]
        return conv_norm_act(width, feats_channels, 1, **self.layer_cfg)

    def predict(self, features: list[Tensor]) -> Tensor:  # finest first
        levels = [conv(x) for conv, x in zip(self.convs, features, strict=True)]  # each (N, F, ., .)
        join: Any = self.decoder[0]
        weights = join.weight.chunk(len(levels), dim=1)
        if self.linear_levels:
            weights = weights[::-1]
        # Resizing and a 1x1 convolution change places: each level is mixed at its own size, a third of the work.
        mixed = [F.conv2d(x, weight.contiguous()) for x, weight in zip(levels, weights, strict=True)]
        joined, *coarser = mixed
        for x in coarser:
            joined = joined + resize_like(x, joined, self.align_corners)
        return self.decoder[1:](joined)  # (N, K, h, w)
