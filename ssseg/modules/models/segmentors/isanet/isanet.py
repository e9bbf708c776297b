from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.errors import ConfigError
from ...backbones import conv_norm_act
from ..base import BaseSegmentor, SelfAttentionBlock


class RelationBlock(SelfAttentionBlock):
    """Attention within one map."""

    def __init__(
        self,
        in_channels: int,
        isa_channels: int,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        super().__init__(
            in_channels,
            in_channels,
            isa_channels,
            in_channels,
            key_query_num_convs=2,
            value_out_norm=False,
            with_out_project=False,
            **layers,
        )
        self.output_project = nn.Sequential(*conv_norm_act(in_channels, in_channels, 1, **layers))

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # (N, C, h, w)
        return self.output_project(super().forward(x, x))


class ISANet(BaseSegmentor):
    """Backbone, attention between far places of its last map, then between near ones, 1x1 classifier.

    Paper: Huang et al., "Interlaced Sparse Self-Attention for Semantic Segmentation", 2019, arXiv:1907.12273.

    The map is cut into blocks of `down_factor` (height, width) places. Far places are those at the same position of
    their blocks, near ones those of one block. A map that is no multiple of a block is filled up with zeros around it,
    which take part.
    """

    def build_head(
        self, *, in_channels: int, feats_channels: int, isa_channels: int, dropout: float, down_factor: Sequence[int]
    ) -> None:
        if len(down_factor) != 2 or min(down_factor) < 1:
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['down_factor']: is {down_factor}, must be two positive integers: height, width."
            )
        self.block_size = tuple(down_factor)
        self.in_conv = nn.Sequential(*conv_norm_act(in_channels, feats_channels, 3, **self.layer_cfg))
        self.global_relation = RelationBlock(feats_channels, isa_channels, **self.layer_cfg)
        self.local_relation = RelationBlock(feats_channels, isa_channels, **self.layer_cfg)
        self.out_conv = nn.Sequential(*conv_norm_act(2 * feats_channels, feats_channels, 3, **self.layer_cfg))
        self.decoder = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(feats_channels, self.num_classes, 1))

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, in_channels, h, w)
        x = self.in_conv(features[-1])
        return self.decoder(self.out_conv(torch.cat([self.relate(x), x], dim=1)))  # (N, K, h, w)

    def relate(self, x: Tensor) -> Tensor:
        """Return x (N, C, h, w) after both attentions."""
        (h, w), (block_h, block_w) = x.shape[2:], self.block_size
        more_h, more_w = -h % block_h, -w % block_w
        top, left = more_h // 2, more_w // 2
        x = F.pad(x, (left, more_w - left, top, more_h - top))
        x = x.unflatten(3, (-1, block_w)).unflatten(2, (-1, block_h))  # (N, C, rows, block_h, columns, block_w)
        # Together in one map: first the same place of all blocks, then all places of one block.
        x = self._within(self.global_relation, x, (0, 3, 5, 1, 2, 4))
        x = self._within(self.local_relation, x, (0, 2, 4, 1, 3, 5))
        return x.flatten(4, 5).flatten(2, 3)[:, :, top : top + h, left : left + w]

    @staticmethod
    def _within(relation: nn.Module, x: Tensor, order: tuple[int, ...]) -> Tensor:
        """Apply `relation` to maps of the last three dimensions of x in `order`; return x in its own order."""
        maps = x.permute(order)
        related = relation(maps.flatten(0, 2)).unflatten(0, maps.shape[:3])
        return related.permute([order.index(i) for i in range(len(order))])
