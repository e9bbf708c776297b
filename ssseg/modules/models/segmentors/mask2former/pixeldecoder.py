from collections.abc import Mapping, Sequence
from math import log2
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from ....utils.errors import ConfigError, listed, nearest
from ...backbones import BuildActivation, BuildNormalization
from ..base import resize_like
from ..maskclassification import init_conv, require_multiple
from .encoder import DeformableTransformer

NUM_MAPS = 3  # that queries look at
_GROUPS, _POINTS = 32, 4  # of the input's normalization; of deformable attention, in each map
_WHERE = "SEGMENTOR_CFG['head']['pixel_decoder']"


class InputShape(TypedDict):
    """Widths and strides of the selected maps, the finest first."""

    in_channels: Sequence[int]
    strides: Sequence[int]


class PixelDecoder(nn.Module):
    """Makes of the backbone's maps those that queries look at, and a finer one that tells the masks' pixels apart.

    The coarse maps go through layers of deformable attention, and are then added to the finer ones as in a feature
    pyramid.

    Paper: Cheng et al., "Masked-attention Mask Transformer for Universal Image Segmentation", CVPR 2022,
    arXiv:2112.01527, section 3.4.

    Args:
        input_shape: of the maps, which are called res2, res3 and so on.
        conv_dim: width of the decoder, a multiple of 32 and of `transformer_nheads`.
        mask_dim: width of the map for masks.
        common_stride: of the map for masks.
        transformer_in_features: the maps that deformable attention works on.
        norm_cfg, act_cfg: of the pyramid's convolutions.

    Raises:
        ConfigError: a map has no such name, or the fields do not fit each other.
    """

    def __init__(
        self,
        input_shape: InputShape,
        conv_dim: int,
        mask_dim: int,
        common_stride: int,
        transformer_in_features: Sequence[str],
        transformer_enc_layers: int,
        transformer_nheads: int,
        transformer_dim_feedforward: int,
        transformer_dropout: float,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        widths, strides = input_shape["in_channels"], input_shape["strides"]
        if len(widths) != len(strides):
            raise ConfigError(f"{_WHERE}['input_shape']: 'in_channels' and 'strides' must have one entry for each map.")
        require_multiple(f"{_WHERE}['conv_dim']", conv_dim, _GROUPS, "the groups of its normalization")
        require_multiple(f"{_WHERE}['conv_dim']", conv_dim, transformer_nheads, "'transformer_nheads'")
        self.attended = _indices(transformer_in_features, len(widths))  # the coarsest first
        self.input_proj = nn.ModuleList()
        for i in self.attended:
            conv = nn.Conv2d(widths[i], conv_dim, 1)
            nn.init.xavier_uniform_(conv.weight)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
            self.input_proj.append(nn.Sequential(conv, nn.GroupNorm(_GROUPS, conv_dim)))
        self.transformer = DeformableTransformer(
            conv_dim,
            len(self.attended),
            transformer_enc_layers,
            num_heads=transformer_nheads,
            num_points=_POINTS,
            hidden_dim=transformer_dim_feedforward,
            dropout=transformer_dropout,
        )
        self.mask_features = init_conv(nn.Conv2d(conv_dim, mask_dim, 1))
        finer = int(log2(min(strides[i] for i in self.attended)) - log2(common_stride))
        if not 0 <= finer <= min(self.attended) or finer + len(self.attended) < NUM_MAPS:
            raise ConfigError(
                f"{_WHERE}['common_stride']: is {common_stride}, which makes {finer} maps finer than the "
                f"{len(self.attended)} of 'transformer_in_features', by the strides; 'input_shape' has "
                f"{min(self.attended)} of them, and there must be {NUM_MAPS} maps or more together."
            )
        self.finer = list(reversed(range(finer)))  # the coarsest first
        norm = {"norm_cfg": norm_cfg}
        self.lateral_convs, self.output_convs = nn.ModuleList(), nn.ModuleList()
        for i in self.finer:
            lateral = init_conv(nn.Conv2d(widths[i], conv_dim, 1, bias=norm_cfg is None))
            output = init_conv(nn.Conv2d(conv_dim, conv_dim, 3, padding=1, bias=norm_cfg is None))
            self.lateral_convs.append(nn.Sequential(lateral, BuildNormalization(conv_dim, **norm)))
            self.output_convs.append(
                nn.Sequential(output, BuildNormalization(conv_dim, **norm), BuildActivation(act_cfg))
            )

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Return the map for masks (N, mask_dim, h, w), and those for queries (N, conv_dim, ., .), the coarsest first.

        Offsets of fractions of pixels need more than half precision, so this runs without autocast.

        Args:
            features: finest first.
        """
        device = features[0].device.type
        if torch.is_autocast_enabled(device):
            with torch.autocast(device, enabled=False):
                return self([x.float() for x in features])
        maps = self.transformer(
            [project(features[i]) for project, i in zip(self.input_proj, self.attended, strict=True)]
        )
        for lateral, output, i in zip(self.lateral_convs, self.output_convs, self.finer, strict=True):
            beside = lateral(features[i])
            maps.append(output(beside + resize_like(maps[-1], beside, align_corners=False)))
        return self.mask_features(maps[-1]), maps[:NUM_MAPS]


def _indices(names: Sequence[str], count: int) -> list[int]:
    """Return which maps are meant, of `count` from res2 on, the coarsest first."""
    known = [f"res{i + 2}" for i in range(count)]
    for name in names:
        if name not in known:
            raise ConfigError(
                f"{_WHERE}['transformer_in_features']: there is no map {name!r}.{nearest(name, known)} They are: "
                f"{listed(known)}."
            )
    return sorted((known.index(name) for name in names), reverse=True)
