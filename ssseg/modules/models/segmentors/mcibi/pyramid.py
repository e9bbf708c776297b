from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import add_from_top, resize_like


def build_pyramid_convs(
    in_channels_list: Sequence[int], feats_channels: int, out_channels: int, **layers: Any
) -> tuple[nn.ModuleList, nn.ModuleList]:
    """Return the convolutions of a feature pyramid before and after the addition from the top, which has none.

    Args:
        in_channels_list: widths of the maps, finest first; the last is that of the map the top is made of.
        feats_channels: width of the top.
        layers: norm_cfg and act_cfg.
    """
    laterals = [conv_norm_act(width, feats_channels, 1, **layers) for width in in_channels_list[:-1]]
    convs = [conv_norm_act(feats_channels, out_channels, 3, **layers) for _ in in_channels_list[:-1]]
    return nn.ModuleList(nn.Sequential(*c) for c in laterals), nn.ModuleList(nn.Sequential(*c) for c in convs)


def run_pyramid(
    convs: tuple[nn.ModuleList, nn.ModuleList], maps: Sequence[Tensor], top: Tensor, align_corners: bool
) -> list[Tensor]:
    """Return the pyramid's maps and `top`, all of the size of the first map.

    Args:
        convs: of `build_pyramid_convs`.
        maps: the maps below the top, finest first.
    """
    laterals = [conv(x) for conv, x in zip(convs[0], maps, strict=True)]
    *sums, top = add_from_top([*laterals, top], mode="bilinear", align_corners=align_corners)
    fused = [conv(x) for conv, x in zip(convs[1], sums, strict=True)]
    return [resize_like(x, fused[0], align_corners) for x in [*fused, top]]
