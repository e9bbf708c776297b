from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ....utils.errors import ConfigError, call_with
from ...backbones import conv_norm_act
from ..base import BaseSegmentor, Feature2Pyramid, add_from_top, resize_like
from ..pspnet import PyramidPoolingModule


class UPerNet(BaseSegmentor):
    """Backbone, feature pyramid with pyramid pooling on its top, all levels joined, 1x1 classifier.

    Paper: Xiao et al., "Unified Perceptual Parsing for Scene Understanding", ECCV 2018, arXiv:1807.10221, section 4.

    The head's `in_channels_list` are the widths of the selected maps. With `feature2pyramid`, what `Feature2Pyramid`
    takes, the maps of a backbone that has them all at one size are rescaled first, for the auxiliary heads too.
    """

    reads: ClassVar = {"in_channels_list": None}

    def build_head(
        self,
        *,
        in_channels_list: Sequence[int],
        feats_channels: int,
        pool_scales: Sequence[int],
        dropout: float,
        feature2pyramid: Mapping[str, Any] | None = None,
    ) -> None:
        if feature2pyramid:
            fields = {"norm_cfg": self.norm_cfg, **feature2pyramid}
            where = "SEGMENTOR_CFG['head']['feature2pyramid']"
            neck = call_with(Feature2Pyramid, fields, where=where)
            if len(neck.rescales) != len(in_channels_list):
                raise ConfigError(
                    f"{where}['rescales']: is {list(neck.rescales)}, must have one factor for each of the "
                    f"{len(in_channels_list)} maps."
                )
            self.feats_to_pyramid_net = neck
        *lower, top = in_channels_list
        self.ppm_net = PyramidPoolingModule(
            top, feats_channels, pool_scales, align_corners=self.align_corners, **self.layer_cfg
        )
        self.lateral_convs = nn.ModuleList(
            nn.Sequential(*conv_norm_act(width, feats_channels, 1, **self.layer_cfg)) for width in lower
        )
        self.fpn_convs = nn.ModuleList(
            nn.Sequential(*conv_norm_act(feats_channels, feats_channels, 3, **self.layer_cfg)) for _ in lower
        )
        self.decoder = nn.Sequential(
            *conv_norm_act(len(in_channels_list) * feats_channels, feats_channels, 3, **self.layer_cfg),
            nn.Dropout2d(dropout),
            nn.Conv2d(feats_channels, self.num_classes, 1),
        )

    def transforminputs(self, x_list: Sequence[Tensor], selected_indices: Sequence[int] | None = None) -> list[Tensor]:
        """Return the selected maps of the backbone's, as a pyramid."""
        maps = super().transforminputs(x_list, selected_indices)
        return self.feats_to_pyramid_net(maps) if hasattr(self, "feats_to_pyramid_net") else maps

    def predict(self, features: list[Tensor]) -> Tensor:  # finest first
        laterals = [conv(x) for conv, x in zip(self.lateral_convs, features[:-1], strict=True)]
        laterals.append(self.ppm_net(features[-1]))  # each (N, F, ., .)
        *lower, top = add_from_top(laterals, mode="bilinear", align_corners=self.align_corners)
        levels = [conv(x) for conv, x in zip(self.fpn_convs, lower, strict=True)] + [top]
        levels = [resize_like(x, levels[0], self.align_corners) for x in levels]
        return self.decoder(torch.cat(levels, dim=1))  # (N, K, h, w)
