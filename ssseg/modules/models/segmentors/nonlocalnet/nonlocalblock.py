from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from ....utils.errors import ConfigError, nearest
from ...backbones import BuildActivation, conv_norm_act
from ..base import attend

MODES = ("embeddedgaussian", "gaussian", "dotproduct", "concatenation")


class NonLocalBlock(nn.Module):
    """Adds to each place of a map a mean over all places, weighted with how alike the two are.

    Paper: Wang et al., "Non-local Neural Networks", CVPR 2018, arXiv:1711.07971, section 3.2 for the modes.

    Args:
        reduction: by how much the weights' and the mean's maps are narrower.
        use_scale: whether scores are divided by the square root of that width, in mode "embeddedgaussian".
        mode: "gaussian" and "embeddedgaussian" weight with a softmax, of the map itself or of two projections of it;
            "dotproduct" with their product, "concatenation" with a layer on both, divided by the number of places.

    Raises:
        ConfigError: no mode has that name.
    """

    def __init__(
        self,
        in_channels: int,
        reduction: int,
        use_scale: bool,
        mode: str,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        if mode not in MODES:
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['mode']: is {mode!r}, must be one of {', '.join(MODES)}.{nearest(mode, MODES)}"
            )
        width = max(in_channels // reduction, 1)
        self.mode = mode
        self.scale = width**-0.5 if use_scale and mode == "embeddedgaussian" else 1.0
        self.g = nn.Sequential(nn.Conv2d(in_channels, width, 1))
        self.conv_out = nn.Sequential(*conv_norm_act(width, in_channels, 1, norm_cfg=norm_cfg, act_cfg=None))
        if mode != "gaussian":
            self.theta = nn.Sequential(nn.Conv2d(in_channels, width, 1))
            self.phi = nn.Sequential(nn.Conv2d(in_channels, width, 1))
        if mode == "concatenation":
            self.project = nn.Sequential(nn.Conv2d(2 * width, 1, 1, bias=False), BuildActivation(act_cfg))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        return x + self.conv_out(self.gather(x, self.g(x)))  # (N, C, h, w)

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the maps that are compared: queries and keys, both (N, D, h, w)."""
        return (x, x) if self.mode == "gaussian" else (self.theta(x), self.phi(x))

    def gather(self, x: Tensor, value: Tensor) -> Tensor:
        """Return the weighted means (N, D, h, w) of `value` (N, D, h, w)."""
        query, key = self.embed(x)
        if self.mode.endswith("gaussian"):
            return attend(query, key, value, self.scale)
        mean = self._product if self.mode == "dotproduct" else self._pairs
        return mean(query.flatten(2), key.flatten(2), value.flatten(2)).unflatten(2, x.shape[2:])

    def _product(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:  # each (N, D, L)
        # No softmax stands between the products, so the small one, (N, D, D), comes first.
        return (value @ key.transpose(1, 2) / key.shape[2]) @ query

    def _pairs(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:  # each (N, D, L)
        conv: Any
        conv, activation = self.project.children()
        of_query, of_key = conv.weight.flatten(1).chunk(2, dim=1)  # each (1, D): the two halves of the layer
        scores = activation((of_query @ query).transpose(1, 2) + of_key @ key)  # (N, L, L)
        return value @ (scores / key.shape[2]).transpose(1, 2)
