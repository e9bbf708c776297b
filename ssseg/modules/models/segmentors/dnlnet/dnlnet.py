from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from ..base import ContextSegmentor, weighted_means
from ..nonlocalnet import NonLocalBlock


class DisentangledNonLocalBlock(NonLocalBlock):
    """Non-local block with weights of two parts: how alike two places are, and how much one matters to all.

    Paper: Yin et al., "Disentangled Non-Local Neural Networks", ECCV 2020, arXiv:2006.06668, section 4.

    Args:
        temperature: what scores are divided by, in mode "embeddedgaussian".
    """

    def __init__(
        self,
        in_channels: int,
        reduction: int,
        use_scale: bool,
        mode: str,
        temperature: float,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__(in_channels, reduction, use_scale, mode, norm_cfg=norm_cfg, act_cfg=act_cfg)
        if mode == "embeddedgaussian":
            self.scale /= temperature
        self.conv_mask = nn.Conv2d(in_channels, 1, 1)

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return queries and keys, both (N, D, h, w), of mean 0 over the places."""
        query, key = super().embed(x)
        return query - query.mean(dim=(2, 3), keepdim=True), key - key.mean(dim=(2, 3), keepdim=True)

    def gather(self, x: Tensor, value: Tensor) -> Tensor:
        """Return the weighted means (N, D, h, w) of `value` (N, D, h, w), both parts added."""
        return super().gather(x, value) + weighted_means(value, self.conv_mask(x))


class DNLNet(ContextSegmentor):
    """Backbone, disentangled attention within its last map, 1x1 classifier.

    Paper: Yin et al., "Disentangled Non-Local Neural Networks", ECCV 2020, arXiv:2006.06668.
    """

    names: ClassVar = ("conv_before_dnl", "dnl_block", "conv_after_dnl")

    def build_head(
        self,
        *,
        in_channels: int,
        feats_channels: int,
        dropout: float,
        reduction: int = 2,
        use_scale: bool = True,
        mode: str = "embeddedgaussian",
        temperature: float = 0.05,
    ) -> None:
        block = DisentangledNonLocalBlock(feats_channels, reduction, use_scale, mode, temperature, **self.layer_cfg)
        self.build_around(block, in_channels, feats_channels, dropout)
