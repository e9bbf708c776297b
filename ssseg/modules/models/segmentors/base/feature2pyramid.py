from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.errors import ConfigError, listed
from ...backbones import BuildNormalization

_FACTORS = {4: "upsample_4x", 2: "upsample_2x", 1: "identity", 0.5: "downsample_2x", 0.25: "downsample_4x"}


class LargestOfWindows(nn.MaxPool2d):
    """Max pooling; the windows are no larger than the map."""

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        size: Any = self.kernel_size
        window = [min(size, side) for side in x.shape[2:]]
        return F.max_pool2d(x, window, window)


class Feature2Pyramid(nn.Module):
    """Turns maps of one size, a plain vision transformer's, into a pyramid.

    Paper: Bao et al., "BEiT: BERT Pre-Training of Image Transformers", ICLR 2022, arXiv:2106.08254, section 3.2.

    Args:
        embed_dim: width of the maps.
        rescales: by what each is enlarged, largest first: 4, 2, 1, 0.5 or 0.25.

    Raises:
        ConfigError: a factor is none of these, or comes twice.
    """

    def __init__(
        self, embed_dim: int, rescales: Sequence[float] = (4, 2, 1, 0.5), *, norm_cfg: Mapping[str, Any] | None
    ):
        super().__init__()
        self.rescales = tuple(rescales)
        if len(set(rescales)) != len(rescales) or not set(rescales) <= _FACTORS.keys():
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['feature2pyramid']['rescales']: is {list(rescales)}, must be different ones of "
                f"{listed(map(str, _FACTORS))}."
            )
        for factor in rescales:
            self.add_module(_FACTORS[factor], self._rescale(factor, embed_dim, norm_cfg))

    @staticmethod
    def _rescale(factor: float, width: int, norm_cfg: Mapping[str, Any] | None) -> nn.Module:
        if factor < 1:
            return LargestOfWindows(int(1 / factor))
        if factor == 1:
            return nn.Identity()
        doubled = nn.ConvTranspose2d(width, width, 2, stride=2)
        if factor == 2:
            return nn.Sequential(doubled)
        norm = BuildNormalization(placeholder=width, norm_cfg=norm_cfg)
        return nn.Sequential(doubled, norm, nn.GELU(), nn.ConvTranspose2d(width, width, 2, stride=2))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:  # each (N, embed_dim, h, w)
        return [self.get_submodule(_FACTORS[f])(x) for f, x in zip(self.rescales, maps, strict=True)]
