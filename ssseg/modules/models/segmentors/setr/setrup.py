from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from .decoder import NormalizedMaps, SETRSegmentor, build_upsampling_decoder


class SETRUP(SETRSegmentor):
    """Backbone, normalization of its maps, convolutions that enlarge the last one step by step, 1x1 classifier.

    Paper: Zheng et al., "Rethinking Semantic Segmentation from a Sequence-to-Sequence Perspective with Transformers",
    CVPR 2021, arXiv:2012.15840, section 3.3: with four convolutions that double the size it is called PUP, with one or
    two that enlarge by four it is called naive.

    The head's `in_channels_list` are the widths of the selected maps; its other fields are those of
    `build_upsampling_decoder`, where `feats_channels` is the width. The k-th auxiliary head reads the k-th map.
    """

    def build_head(
        self,
        *,
        in_channels_list: Sequence[int],
        feats_channels: int,
        num_convs: int,
        scale_factor: int,
        kernel_size: int,
        dropout: float,
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm", "eps": 1e-6},
    ) -> None:
        self.widths = in_channels_list
        self.norm_layers = NormalizedMaps(in_channels_list, norm_cfg)
        self.decoder = build_upsampling_decoder(
            in_channels_list[-1],
            feats_channels,
            dropout,
            num_convs,
            scale_factor,
            kernel_size,
            num_classes=self.num_classes,
            align_corners=self.align_corners,
            **self.layer_cfg,
        )

    def auxiliary_widths(self, count: int) -> Sequence[int]:
        return self.widths

    def transforminputs(self, x_list: Sequence[Tensor], selected_indices: Sequence[int] | None = None) -> list[Tensor]:
        """Return the selected maps of the backbone's, normalized."""
        return self.norm_layers(super().transforminputs(x_list, selected_indices))

    def predict(self, features: list[Tensor]) -> Tensor:
        return self.decoder(features[-1])  # (N, K, h * scale ** convs, w * scale ** convs)

    def predict_in_training(self, features: list[Tensor], annotations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {**self.auxiliary_predictions(features), "loss_cls": self.predict(features)}
