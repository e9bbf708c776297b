from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import BaseSegmentor, require_one_auxiliary, resize_like, weighted_means
from .objectcontext import ObjectAttention


class OCRNet(BaseSegmentor):
    """Backbone, attention between its last map and the classes as the auxiliary head sees them, 1x1 classifier.

    Paper: Yuan et al., "Object-Contextual Representations for Semantic Segmentation", ECCV 2020, arXiv:1909.11065.

    It needs one auxiliary head, which works at test time too. The head's `scale` is the factor of that head's scores
    before they are made weights, and by how much the map that asks is smaller in each direction.
    """

    def build_head(
        self, *, in_channels: int, feats_channels: int, transform_channels: int, dropout: float, scale: int = 1
    ) -> None:
        require_one_auxiliary(self.cfg.get("auxiliary"), "OCRNet")
        self.setauxiliarydecoder(self.cfg["auxiliary"])  # first, as in checkpoints
        self.scale = scale
        self.bottleneck = nn.Sequential(*conv_norm_act(in_channels, feats_channels, 3, **self.layer_cfg))
        self.object_context_block = ObjectAttention(
            feats_channels, transform_channels, scale, align_corners=self.align_corners, **self.layer_cfg
        )
        self.decoder = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(feats_channels, self.num_classes, 1))

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, in_channels, h, w)
        return self.refine(features[-1], self.score(features))  # (N, K, h, w)

    def predict_in_training(self, features: list[Tensor], annotations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        coarse = self.score(features)
        return {"loss_aux": coarse, "loss_cls": self.refine(features[-1], coarse)}

    def score(self, features: list[Tensor]) -> Tensor:
        """Return the auxiliary head's scores (N, K, ., .)."""
        head: Any = self.auxiliary_decoder
        return head(features[-2])

    def refine(self, x: Tensor, coarse: Tensor) -> Tensor:
        """Return scores (N, K, h, w) of map x (N, in_channels, h, w) with the coarse ones (N, K, ., .)."""
        feats = self.bottleneck(x)
        scores = self.scale * resize_like(coarse, feats, self.align_corners)
        objects = weighted_means(feats, scores)  # (N, F, K, 1)
        return self.decoder(self.object_context_block(feats, objects))
