from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import BaseSegmentor, resize_like


class Segformer(BaseSegmentor):
    """Backbone, its maps brought to one width and to the size of the finest, joined, 1x1 classifier.

    Paper: Xie et al., "SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers", NeurIPS
    2021, arXiv:2105.15203, section 3.2. As in OpenMMLab's variant each level has its own normalization and activation,
    and the finest is joined first; the authors project levels linearly and join the coarsest first.

    The head's `in_channels_list` are the widths of the selected maps.
    """

    reads: ClassVar = {"in_channels_list": None}

    def build_head(self, *, in_channels_list: Sequence[int], feats_channels: int, dropout: float) -> None:
        self.convs = nn.ModuleList(
            nn.Sequential(*conv_norm_act(width, feats_channels, 1, **self.layer_cfg)) for width in in_channels_list
        )
        self.decoder = nn.Sequential(
            *conv_norm_act(len(in_channels_list) * feats_channels, feats_channels, 1, **self.layer_cfg),
            nn.Dropout2d(dropout),
            nn.Conv2d(feats_channels, self.num_classes, 1),
        )

    def predict(self, features: list[Tensor]) -> Tensor:  # finest first
        levels = [conv(x) for conv, x in zip(self.convs, features, strict=True)]  # each (N, F, ., .)
        joined = torch.cat([resize_like(x, levels[0], self.align_corners) for x in levels], dim=1)
        return self.decoder(joined)  # (N, K, h, w)
