from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import BaseSegmentor, resize_like
from .encoding import EncodingModule


class Extra(TypedDict, total=False):
    """What can be added to ENCNet."""

    add_lateral: bool
    use_se_loss: bool


class ENCNet(BaseSegmentor):
    """Backbone, channels weighed by an encoding of the scene, 1x1 classifier.

    Paper: Zhang et al., "Context Encoding for Semantic Segmentation", CVPR 2018, arXiv:1803.08904.

    Head fields: `in_channels_list` are the widths of the last selected maps, of which the earlier ones are read with
    `extra["add_lateral"]` only. With `extra["use_se_loss"]` the encoding also predicts which classes are present,
    loss_se.
    """

    def build_head(
        self, *, in_channels_list: Sequence[int], feats_channels: int, num_codes: int, dropout: float, extra: Extra
    ) -> None:
        self._maps().require(
            "SEGMENTOR_CFG['head']['in_channels_list']", in_channels_list, range(-len(in_channels_list), 0)
        )
        *earlier, last = in_channels_list
        self.bottleneck = nn.Sequential(*conv_norm_act(last, feats_channels, 3, **self.layer_cfg))
        self.lateral_convs, self.fusion = None, None
        if extra.get("add_lateral"):
            self.lateral_convs = nn.ModuleList(
                nn.Sequential(*conv_norm_act(width, feats_channels, 1, **self.layer_cfg)) for width in earlier
            )
            joined = len(in_channels_list) * feats_channels
            self.fusion = nn.Sequential(*conv_norm_act(joined, feats_channels, 3, **self.layer_cfg))
        self.enc_module = EncodingModule(feats_channels, num_codes, **self.layer_cfg)
        self.se_layer = nn.Linear(feats_channels, self.num_classes) if extra.get("use_se_loss") else None
        self.decoder = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(feats_channels, self.num_classes, 1))

    def predict_all(self, features: list[Tensor]) -> dict[str, Tensor]:
        """Return loss_cls, the class scores (N, K, h, w), and where it is asked for loss_se, which are present (N, K).

        Presence costs next to nothing and is predicted in evaluation, too, so that a model's published cost is ours.
        """
        x = self.bottleneck(features[-1])  # (N, F, h, w)
        if self.lateral_convs is not None and self.fusion is not None:
            read = features[-len(self.lateral_convs) - 1 : -1]
            laterals = [conv(y) for conv, y in zip(self.lateral_convs, read, strict=True)]
            x = self.fusion(torch.cat([x, *(resize_like(y, x, self.align_corners) for y in laterals)], dim=1))
        encoding, x = self.enc_module(x)
        presence = {} if self.se_layer is None else {"loss_se": self.se_layer(encoding)}
        return {**presence, "loss_cls": self.decoder(x)}

    def predict(self, features: list[Tensor]) -> Tensor:
        return self.predict_all(features)["loss_cls"]

    def predict_in_training(self, features: list[Tensor], annotations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self.predict_all(features)

    def customizepredsandlosses(self, *, annotations: Mapping[str, Tensor], **others: Any) -> Any:  # type: ignore[override]
        """Add the target of loss_se; see `BaseSegmentor.customizepredsandlosses`."""
        if self.se_layer is not None:
            annotations = {**annotations, "loss_se": find_classes(annotations["seg_targets"], self.num_classes)}
        return super().customizepredsandlosses(annotations=annotations, **others)


def find_classes(labels: Tensor, num_classes: int) -> Tensor:
    """Return (N, K), 1 for each class that occurs in labels (N, H, W), else 0; other labels are no class."""
    labels = labels.flatten(1).long()
    labels = torch.where((labels >= 0) & (labels < num_classes), labels, num_classes)
    return torch.zeros(len(labels), num_classes + 1, device=labels.device).scatter_(1, labels, 1)[:, :-1]
