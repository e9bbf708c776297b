from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ...utils.errors import ConfigError, call_with
from .bricks.transformer import sine_positions
from .checks import one_of
from .hiera import Hiera

_MODES: dict[str, bool | None] = {"nearest": None, "bilinear": False}  # mode of interpolation: its align_corners


class SinePositions(nn.Module):
    """Positions of a map as sines and cosines.

    Paper: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020, arXiv:2005.12872, appendix A.4.

    Args:
        num_pos_feats: channels of both axes together.
        temperature, normalize, scale: see `sine_positions`.
    """

    def __init__(
        self, num_pos_feats: int, temperature: float = 10000, normalize: bool = True, scale: float | None = None
    ):
        super().__init__()
        self.num_pos_feats = num_pos_feats
        self.options: dict[str, Any] = {"temperature": temperature, "normalize": normalize, "scale": scale}

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        """Return (N, num_pos_feats, h, w) float32, the same for all of the batch."""
        table = sine_positions((x.shape[2], x.shape[3]), self.num_pos_feats, **self.options, device=x.device)
        return table.expand(len(x), -1, -1, -1)


def build_sine_positions(cfg: Mapping[str, Any], where: str) -> SinePositions:
    """Build from a `position_encoding_cfg`, whose type, "PositionEmbeddingSine", is the only one."""
    fields = {name: value for name, value in cfg.items() if name != "type"}
    if cfg.get("type", "PositionEmbeddingSine") != "PositionEmbeddingSine":
        raise ConfigError(f"{where}['type']: is {cfg['type']!r}, must be 'PositionEmbeddingSine'.")
    return call_with(SinePositions, fields, where=where)


class HieraFPN(nn.Module):
    """Feature pyramid without convolutions after the sums, with the positions of each map.

    Paper: Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017, arXiv:1612.03144, section 3; Ravi et
    al., "SAM 2: Segment Anything in Images and Videos", arXiv:2408.00714, appendix D.1.

    Args:
        position_encoding_cfg: of the positions, see `SinePositions`.
        d_model: width of all maps.
        backbone_channel_list: widths of the backbone's maps, coarsest first.
        kernel_size, stride, padding: of the lateral convolutions.
        fpn_interp_model: how a coarser map is enlarged, "nearest" or "bilinear".
        fuse_type: "sum", or "avg", which halves the sum.
        fpn_top_down_levels: to which maps, counted from the finest, the next coarser one is added; None means all.
    """

    def __init__(
        self,
        position_encoding_cfg: Mapping[str, Any],
        d_model: int,
        backbone_channel_list: Sequence[int],
        kernel_size: int = 1,
        stride: int = 1,
        padding: int = 0,
        fpn_interp_model: str = "bilinear",
        fuse_type: str = "sum",
        fpn_top_down_levels: Sequence[int] | None = None,
    ):
        super().__init__()
        where = "SEGMENTOR_CFG['backbone']['fpn_cfg']"
        self.position_encoding = build_sine_positions(position_encoding_cfg, f"{where}['position_encoding_cfg']")
        self.convs = nn.ModuleList(
            nn.Sequential(OrderedDict(conv=nn.Conv2d(channels, d_model, kernel_size, stride, padding)))
            for channels in backbone_channel_list
        )
        self.mode, self.align_corners = fpn_interp_model, one_of("fpn_interp_model", fpn_interp_model, _MODES)
        self.share = one_of("fuse_type", fuse_type, {"sum": 1.0, "avg": 0.5})
        self.levels = range(len(self.convs)) if fpn_top_down_levels is None else tuple(fpn_top_down_levels)

    def forward(self, maps: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:  # finest first
        """Return a map (N, d_model, h, w) and its positions for each of `maps`."""
        joined: list[Tensor] = []
        for level, conv, x in zip(range(len(maps) - 1, -1, -1), self.convs, reversed(maps), strict=True):
            lateral = conv(x)
            if joined and level in self.levels:
                above = F.interpolate(
                    joined[0].float(), lateral.shape[2:], mode=self.mode, align_corners=self.align_corners
                )
                lateral = (lateral + above) * self.share
            joined.insert(0, lateral)
        return joined, [self.position_encoding(x).to(x.dtype) for x in joined]


class HieraWithFPN(nn.Module):
    """Hiera and a feature pyramid on it: the image encoder of SAM 2.

    Paper: Ravi et al., "SAM 2: Segment Anything in Images and Videos", arXiv:2408.00714, section 4 and appendix D.1.

    Args:
        hiera_cfg, fpn_cfg: the fields of `Hiera` and `HieraFPN`.
        scalp: how many of the coarsest maps are left out.

    Shape:
        (N, 3, H, W) to a dict: `backbone_fpn`, the maps, finest first, at 1/4, 1/8 ...; `vision_pos_enc`, the positions
        of each; `vision_features`, the last of the maps.

    Raises:
        ConfigError: a number does not fit the others.
    """

    def __init__(self, hiera_cfg: Mapping[str, Any], fpn_cfg: Mapping[str, Any], scalp: float = 0):
        super().__init__()
        where = "SEGMENTOR_CFG['backbone']"
        self.trunk: Hiera = call_with(Hiera, hiera_cfg, where=f"{where}['hiera_cfg']")
        self.neck: HieraFPN = call_with(HieraFPN, fpn_cfg, where=f"{where}['fpn_cfg']")
        widths = list(fpn_cfg["backbone_channel_list"])
        if widths != list(reversed(self.trunk.out_channels)):
            raise ConfigError(
                f"{where}['fpn_cfg']['backbone_channel_list']: is {widths}, but the maps of 'hiera_cfg', coarsest "
                f"first, have {list(reversed(self.trunk.out_channels))} channels."
            )
        if scalp != int(scalp) or not 0 <= scalp < len(widths):
            raise ConfigError(f"{where}['scalp']: is {scalp}, must be a whole number from 0 to {len(widths) - 1}.")
        self.scalp = int(scalp)
        self.out_channels = (fpn_cfg["d_model"],) * (len(widths) - self.scalp)

    def forward(self, x: Tensor) -> dict[str, Tensor | list[Tensor]]:  # (N, 3, H, W)
        maps, positions = self.neck(self.trunk(x))
        kept = len(maps) - self.scalp
        return {"vision_features": maps[kept - 1], "vision_pos_enc": positions[:kept], "backbone_fpn": maps[:kept]}
