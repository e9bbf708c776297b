from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import BaseSegmentor
from .asymmetric import AsymmetricBlock


class ANNNet(BaseSegmentor):
    """Backbone, attention of its last map to the one before, then to itself, both to pooled places; 1x1 classifier.

    Paper: Zhu et al., "Asymmetric Non-local Neural Networks for Semantic Segmentation", ICCV 2019, arXiv:1908.07678.

    The head's `in_channels_list` are the widths of the last two selected maps.
    """

    reads: ClassVar = {"in_channels_list": (-2, -1)}

    def build_head(
        self,
        *,
        in_channels_list: Sequence[int],
        feats_channels: int,
        transform_channels: int,
        key_pool_scales: Sequence[int],
        dropout: float,
        query_scales: Sequence[int] = (1,),
    ) -> None:
        low, high = in_channels_list
        scales = (query_scales, key_pool_scales)
        layers: dict[str, Any] = {"align_corners": self.align_corners, **self.layer_cfg}
        self.afn_block = AsymmetricBlock(low, high, transform_channels, high, *scales, **layers, out_act_cfg=None)
        self.apn_block = AsymmetricBlock(
            None, feats_channels, transform_channels, feats_channels, *scales, **layers, out_act_cfg=self.act_cfg
        )
        self.bottleneck = nn.Sequential(*conv_norm_act(high, feats_channels, 3, **self.layer_cfg))
        self.decoder = nn.ModuleList([nn.Dropout2d(dropout), nn.Conv2d(feats_channels, self.num_classes, 1)])

    def predict(self, features: list[Tensor]) -> Tensor:  # the last (N, low, ., .), (N, high, h, w)
        low, high = features[-2:]
        dropout, classifier = self.decoder
        feats = self.bottleneck(dropout(self.afn_block(high, low)))
        return classifier(self.apn_block(feats, feats))  # (N, K, h, w)
