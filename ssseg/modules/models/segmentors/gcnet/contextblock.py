from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ....utils.errors import ConfigError, listed
from ...backbones import BuildActivation, BuildNormalization
from ..base import weighted_means

POOLINGS = ("att", "avg")
FUSIONS = ("channel_add", "channel_mul")


class ContextBlock(nn.Module):
    """Changes a map everywhere by the same vector, made of the mean over its places.

    Paper: Cao et al., "GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond", ICCVW 2019,
    arXiv:1904.11492, section 3.3.

    Args:
        ratio: width of the hidden layer / `in_channels`.
        pooling_type: "att" for a weighted mean, with weights that are learnt; "avg" for a plain one.
        fusion_types: "channel_mul", "channel_add" or both, in that order whatever the order here.

    Raises:
        ConfigError: a name is unknown.
    """

    def __init__(
        self,
        in_channels: int,
        ratio: float,
        pooling_type: str,
        fusion_types: Sequence[str],
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        if pooling_type not in POOLINGS:
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['pooling_type']: is {pooling_type!r}, must be one of {listed(POOLINGS)}."
            )
        if isinstance(fusion_types, str) or not fusion_types or not set(fusion_types) <= set(FUSIONS):
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['fusion_types']: is {fusion_types!r}, must be a list of {listed(FUSIONS)}."
            )
        hidden = max(int(in_channels * ratio), 1)
        self.conv_mask = nn.Conv2d(in_channels, 1, 1) if pooling_type == "att" else None

        def transform() -> nn.Sequential:
            return nn.Sequential(
                nn.Conv2d(in_channels, hidden, 1),
                BuildNormalization(placeholder=self._shape(hidden, norm_cfg), norm_cfg=norm_cfg),
                BuildActivation(act_cfg),
                nn.Conv2d(hidden, in_channels, 1),
            )

        self.channel_add_conv = transform() if "channel_add" in fusion_types else None
        self.channel_mul_conv = transform() if "channel_mul" in fusion_types else None

    @staticmethod
    def _shape(width: int, norm_cfg: Mapping[str, Any] | None) -> Any:
        """Return what the normalization of a map (N, width, 1, 1) is built for."""
        return [width, 1, 1] if norm_cfg and norm_cfg.get("type") == "LayerNorm" else width

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        context = self.pool(x)
        if self.channel_mul_conv is not None:
            x = x * self.channel_mul_conv(context).sigmoid()
        if self.channel_add_conv is not None:
            x = x + self.channel_add_conv(context)
        return x

    def pool(self, x: Tensor) -> Tensor:
        """Return the mean over all places (N, C, 1, 1)."""
        if self.conv_mask is None:
            return x.mean(dim=(2, 3), keepdim=True)
        return weighted_means(x, self.conv_mask(x))
