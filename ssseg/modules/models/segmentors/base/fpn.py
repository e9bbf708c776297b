from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones import conv_norm_act


def add_from_top(maps: Sequence[Tensor], **upsample: Any) -> list[Tensor]:
    """Add to each map the enlarged sum of the coarser ones.

    Args:
        maps: (N, C, h, w), finest first.
        upsample: what F.interpolate takes besides the size.
    """
    sums = [maps[-1]]
    for x in reversed(maps[:-1]):
        sums.append(x + F.interpolate(sums[-1], x.shape[2:], **upsample))
    return sums[::-1]


class FPN(nn.Module):
    """Gives maps of all sizes the same width, and the fine ones what the coarse ones know.

    Paper: Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017, arXiv:1612.03144, section 3.

    Args:
        in_channels_list: widths of the maps, finest first.
        out_channels: width of the maps returned; their sizes stay.
        upsample_cfg: how coarse maps are enlarged: what F.interpolate takes besides the size; None means nearest.
    """

    def __init__(
        self,
        in_channels_list: Sequence[int],
        out_channels: int,
        upsample_cfg: Mapping[str, Any] | None = None,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.upsample_cfg = dict(upsample_cfg or {"mode": "nearest"})
        self.lateral_convs = nn.ModuleList(
            nn.Sequential(*conv_norm_act(width, out_channels, 1, **layers)) for width in in_channels_list
        )
        self.fpn_convs = nn.ModuleList(
            nn.Sequential(*conv_norm_act(out_channels, out_channels, 3, **layers)) for _ in in_channels_list
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        laterals = [conv(x) for conv, x in zip(self.lateral_convs, maps, strict=True)]
        return [conv(x) for conv, x in zip(self.fpn_convs, add_from_top(laterals, **self.upsample_cfg), strict=True)]
