from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from ....utils.errors import ConfigError
from ..base import FPN, BaseSegmentor
from .scaleheads import ScaleHeads


class SemanticFPN(BaseSegmentor):
    """Backbone, feature pyramid, its levels added at the finest size, 1x1 classifier.

    Paper: Kirillov et al., "Panoptic Feature Pyramid Networks", CVPR 2019, arXiv:1901.02446.

    The head's `in_channels_list` are the widths of the selected maps, `feature_stride_list` their strides.
    """

    reads: ClassVar = {"in_channels_list": None}

    def build_head(
        self,
        *,
        in_channels_list: Sequence[int],
        feats_channels: int,
        feature_stride_list: Sequence[int],
        scale_head_channels: int,
        dropout: float,
        upsample_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        self.build_pyramid(in_channels_list, feats_channels, upsample_cfg, feature_stride_list, scale_head_channels)
        self.decoder = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(scale_head_channels, self.num_classes, 1))

    def build_pyramid(
        self,
        widths: Sequence[int],
        feats_channels: int,
        upsample_cfg: Mapping[str, Any] | None,
        strides: Sequence[int],
        scale_head_channels: int,
    ) -> None:
        """Build the pyramid of maps of `widths` and `strides`, and what adds its levels."""
        if len(strides) != len(widths):
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['feature_stride_list']: is {list(strides)}, must have one stride for each of "
                f"the {len(widths)} maps."
            )
        self.fpn_neck = FPN(widths, feats_channels, upsample_cfg, **self.layer_cfg)
        self.scale_heads = ScaleHeads(
            feats_channels, scale_head_channels, strides, align_corners=self.align_corners, **self.layer_cfg
        )

    def predict(self, features: list[Tensor]) -> Tensor:  # finest first
        return self.decoder(self.scale_heads(self.fpn_neck(features)))  # (N, K, h, w)
