from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from torch import Tensor, nn

from ...backbones import conv_norm_act
from .decoder import NormalizedMaps


class MultiLevelAggregation(nn.Module):
    """Adds to each map all deeper ones, at one width.

    Paper: Zheng et al., "Rethinking Semantic Segmentation from a Sequence-to-Sequence Perspective with Transformers",
    CVPR 2021, arXiv:2012.15840, section 3.3 and figure 1c.
    """

    def __init__(
        self,
        in_channels_list: Sequence[int],
        out_channels: int,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.channel_proj = nn.ModuleList(
            nn.Sequential(*conv_norm_act(width, out_channels, 1, **layers)) for width in in_channels_list
        )
        self.feat_extract = nn.ModuleList(
            nn.Sequential(*conv_norm_act(out_channels, out_channels, 3, **layers)) for _ in in_channels_list
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:  # all of one size
        """Return maps (N, out_channels, h, w), the deepest first."""
        projected = [conv(x) for conv, x in zip(self.channel_proj, maps, strict=True)]
        return [conv(x) for conv, x in zip(self.feat_extract, accumulate(projected[::-1]), strict=True)]


class MLANeck(nn.Module):
    """Normalizes maps and aggregates them.

    Args:
        norm: of the normalization of maps; `norm_cfg` and `act_cfg` are those of convolutions.
    """

    def __init__(
        self, in_channels_list: Sequence[int], out_channels: int, norm: Mapping[str, Any] | None, **layers: Any
    ):
        super().__init__()
        self.norm_layers = NormalizedMaps(in_channels_list, norm)
        self.mla = MultiLevelAggregation(in_channels_list, out_channels, **layers)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        return self.mla(self.norm_layers(maps))
