from collections.abc import Mapping
from typing import TypedDict

import torch
from torch import Tensor, nn

from ...backbones import BuildActivation, BuildNormalization, conv_norm_act
from ..base import BaseSegmentor, resize_like
from .context import ImageLevelContext, SemanticLevelContext


class Shortcut(TypedDict):
    """Whether the first map refines the result, its width, and what it is projected to."""

    is_on: bool
    in_channels: int
    feats_channels: int


class ISNet(BaseSegmentor):
    """Backbone, context of the image and of the classes that a first stage finds in it, classifier.

    Paper: Jin et al., "ISNet: Integrate Image-Level and Semantic-Level Context for Semantic Segmentation", ICCV 2021,
    arXiv:2108.12382.
    """

    def build_head(
        self,
        *,
        in_channels: int,
        feats_channels: int,
        transform_channels: int,
        concat_input: bool,
        shortcut: Shortcut,
        dropout: float,
    ) -> None:
        width = feats_channels
        self.bottleneck = nn.Sequential(*conv_norm_act(in_channels, width, 3, **self.layer_cfg))
        self.ilc_net = ImageLevelContext(width, transform_channels, concat_input, **self.layer_cfg)
        self.concat_input = concat_input
        if not concat_input:  # nothing reads it, but checkpoints have it
            self.ilc_net.requires_grad_(False)
        self.slc_net = SemanticLevelContext(width, transform_channels, concat_input, **self.layer_cfg)
        self.decoder_stage1 = self._build_decoder(width, width, dropout)
        self.shortcut: nn.Module | None = None
        if shortcut["is_on"]:
            self._maps().require("SEGMENTOR_CFG['head']['shortcut']['in_channels']", shortcut["in_channels"], (0,))
            added = shortcut["feats_channels"]
            self.shortcut = nn.Sequential(
                nn.Conv2d(shortcut["in_channels"], added, 1),
                BuildNormalization(placeholder=added, norm_cfg=self.norm_cfg),
                BuildActivation(self.act_cfg),
            )
            self.decoder_stage2 = self._build_decoder(width + added, width, dropout)
        else:
            self.decoder_stage2 = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(width, self.num_classes, 1))

    def _build_decoder(self, in_channels: int, channels: int, dropout: float) -> nn.Sequential:
        return nn.Sequential(
            *conv_norm_act(in_channels, channels, 1, **self.layer_cfg),
            nn.Dropout2d(dropout),
            nn.Conv2d(channels, self.num_classes, 1),
        )

    def predict_stages(self, features: list[Tensor]) -> dict[str, Tensor]:
        """Return the scores of the first stage and of the second, each (N, K, h, w)."""
        x = self.bottleneck(features[-1])  # (N, F, h, w)
        coarse = self.decoder_stage1(x)
        x = self.slc_net(x, coarse, self.ilc_net(x) if self.concat_input else x)
        if self.shortcut is not None:
            shortcut = self.shortcut(features[0])
            x = torch.cat([resize_like(x, shortcut, self.align_corners), shortcut], dim=1)
        return {"loss_cls_stage1": coarse, "loss_cls_stage2": self.decoder_stage2(x)}

    def predict(self, features: list[Tensor]) -> Tensor:
        return self.predict_stages(features)["loss_cls_stage2"]

    def predict_in_training(self, features: list[Tensor], annotations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self.predict_stages(features)
