from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from ....utils.errors import ConfigError, call_with
from ...backbones import BuildNormalization, conv_norm_act
from ...backbones.bricks.transformer import map_of, tokens_of
from ..base import BaseSegmentor


class NormalizedMaps(nn.ModuleList):
    """A normalization over the channels of each map."""

    def __init__(self, widths: Sequence[int], norm_cfg: Mapping[str, Any] | None):
        super().__init__(BuildNormalization(placeholder=width, norm_cfg=norm_cfg) for width in widths)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:  # each (N, C, h, w)
        return [map_of(norm(tokens_of(x)), x.shape[2:]) for norm, x in zip(self, maps, strict=True)]  # type: ignore[arg-type]


def build_upsampling_decoder(
    in_channels: int,
    out_channels: int,
    dropout: float,
    num_convs: int,
    scale_factor: int,
    kernel_size: int,
    *,
    num_classes: int,
    align_corners: bool,
    norm_cfg: Mapping[str, Any] | None,
    act_cfg: Mapping[str, Any] | None,
) -> nn.Sequential:
    """Build convolutions, each enlarging the map afterwards, dropout, and a 1x1 classifier.

    Paper: Zheng et al., "Rethinking Semantic Segmentation from a Sequence-to-Sequence Perspective with Transformers",
    CVPR 2021, arXiv:2012.15840, section 3.3.

    Args:
        out_channels: width of the convolutions.
        scale_factor: by what each enlarges.
    """
    layers: list[nn.Module] = []
    for i in range(num_convs):
        width = out_channels if i else in_channels
        layers += conv_norm_act(width, out_channels, kernel_size, norm_cfg=norm_cfg, act_cfg=act_cfg)
        layers.append(nn.Upsample(scale_factor=scale_factor, mode="bilinear", align_corners=align_corners))
    width = out_channels if num_convs else in_channels
    return nn.Sequential(*layers, nn.Dropout2d(dropout), nn.Conv2d(width, num_classes, 1))


class SETRSegmentor(BaseSegmentor):
    """What SETRUP and SETRMLA share: auxiliary heads like the naive decoder of SETRUP.

    `SEGMENTOR_CFG['auxiliary']` is a list of what `build_upsampling_decoder` takes.
    """

    reads: ClassVar = {"in_channels_list": None}
    auxiliary_reads_maps = False

    def setauxiliarydecoder(self, auxiliary_cfg: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None) -> None:
        """Build `auxiliary_decoders`, one for each entry; the k-th reads the k-th of `auxiliary_widths`."""
        cfgs = [auxiliary_cfg] if isinstance(auxiliary_cfg, Mapping) else auxiliary_cfg or ()
        given = {"num_classes": self.num_classes, "align_corners": self.align_corners, **self.layer_cfg}
        widths = self.auxiliary_widths(len(cfgs))
        if len(cfgs) > len(widths):
            raise ConfigError(
                f"SEGMENTOR_CFG['auxiliary']: has {len(cfgs)} heads, but there are {len(widths)} maps to read."
            )
        self.auxiliary_decoders = nn.ModuleList()
        for i, (cfg, width) in enumerate(zip(cfgs, widths, strict=False)):
            where = f"SEGMENTOR_CFG['auxiliary'][{i}]"
            if cfg.get("in_channels", width) != width:
                raise ConfigError(
                    f"{where}['in_channels']: is {cfg['in_channels']}, must be {width}, the width of the map it reads."
                )
            self.auxiliary_decoders.append(
                call_with(build_upsampling_decoder, {**cfg, **given}, where=where, given=given)
            )

    def auxiliary_widths(self, count: int) -> Sequence[int]:
        """Return the widths of the maps that `count` auxiliary heads read."""
        raise NotImplementedError

    def auxiliary_predictions(self, maps: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return the scores of the auxiliary heads, the k-th of the k-th map, by the names of their losses."""
        heads = zip(self.auxiliary_decoders, maps, strict=False)
        return {f"loss_aux{i}": head(x) for i, (head, x) in enumerate(heads, start=1)}
