from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ....utils.errors import ConfigError
from ...backbones import conv_norm_act
from .decoder import SETRSegmentor
from .mla import MLANeck


class SETRMLA(SETRSegmentor):
    """Backbone, aggregation of its maps from the deepest on, all enlarged and joined, 1x1 classifier.

    Paper: Zheng et al., "Rethinking Semantic Segmentation from a Sequence-to-Sequence Perspective with Transformers",
    CVPR 2021, arXiv:2012.15840, section 3.3 and figure 1c.

    The head's `in_channels_list` are the widths of the selected maps, `mla_feats_channels` and `mla_up_channels` those
    of a level while aggregated and enlarged, `feats_channels` that of all enlarged ones. k auxiliary heads read the
    last k aggregated maps, the deepest of which is the first.
    """

    def build_head(
        self,
        *,
        in_channels_list: Sequence[int],
        feats_channels: int,
        mla_feats_channels: int,
        mla_up_channels: int,
        scale_factor: int,
        dropout: float,
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm", "eps": 1e-6},
    ) -> None:
        levels = len(in_channels_list)
        if mla_up_channels * levels != feats_channels:
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['feats_channels']: is {feats_channels}, must be {mla_up_channels * levels}: "
                f"{levels} maps of 'mla_up_channels' {mla_up_channels} each."
            )
        self.level_widths = [mla_feats_channels] * levels
        self.mla_neck = MLANeck(in_channels_list, mla_feats_channels, norm_cfg, **self.layer_cfg)
        self.up_convs = nn.ModuleList(
            nn.Sequential(
                *conv_norm_act(mla_feats_channels, mla_up_channels, 3, **self.layer_cfg),
                *conv_norm_act(mla_up_channels, mla_up_channels, 3, **self.layer_cfg),
                nn.Upsample(scale_factor=scale_factor, mode="bilinear", align_corners=self.align_corners),
            )
            for _ in in_channels_list
        )
        self.decoder = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(feats_channels, self.num_classes, 1))

    def auxiliary_widths(self, count: int) -> Sequence[int]:
        return self.level_widths

    def transforminputs(self, x_list: Sequence[Tensor], selected_indices: Sequence[int] | None = None) -> list[Tensor]:
        """Return the selected maps of the backbone's, aggregated, the deepest first."""
        return self.mla_neck(super().transforminputs(x_list, selected_indices))

    def predict(self, features: list[Tensor]) -> Tensor:
        enlarged = [conv(x) for conv, x in zip(self.up_convs, features, strict=True)]
        return self.decoder(torch.cat(enlarged, dim=1))  # (N, K, h * scale, w * scale)

    def predict_in_training(self, features: list[Tensor], annotations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        read = features[len(features) - len(self.auxiliary_decoders) :]
        return {**self.auxiliary_predictions(read), "loss_cls": self.predict(features)}
