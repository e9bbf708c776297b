from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ....utils.errors import ConfigError, listed, nearest
from ...backbones import BuildActivation, BuildNormalization, conv_norm_act
from ..base import BaseSegmentor, resize, resize_like
from .psamask import collect_attention

_TYPES = ("collect", "distribute", "bi-direction")


class PSANet(BaseSegmentor):
    """Backbone, attention whose scores each position predicts for its surroundings, classifier.

    Paper: Zhao et al., "PSANet: Point-wise Spatial Attention Network for Scene Parsing", ECCV 2018.

    Head fields: `type` says whether positions "collect" from others, "distribute" to them, or both, "bi-direction";
    `mask_size` is the height and width of the surroundings; `compact` predicts a score for every position of the map
    instead, which then must have that size; `shrink_factor` makes the map smaller before; `normalization_factor`
    divides the result, None means the size of the mask.
    """

    def build_head(
        self,
        *,
        type: str,
        in_channels: int,
        feats_channels: int,
        compact: bool,
        mask_size: Sequence[int],
        psa_softmax: bool,
        shrink_factor: int,
        dropout: float,
        normalization_factor: float | None = None,
    ) -> None:
        if type not in _TYPES:
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['type']: is {type!r}, must be one of {listed(_TYPES)}.{nearest(type, _TYPES)}"
            )
        self.compact, self.psa_softmax, self.shrink_factor = compact, psa_softmax, shrink_factor
        self.mask_size = (mask_size[0], mask_size[1])
        mask_area = mask_size[0] * mask_size[1]
        self.normalization_factor = normalization_factor or mask_area
        both = type == "bi-direction"
        # a compact map of scores has them the other way round, except where there are two: published weights need it
        self.transposed = (False, True) if both else ((type == "distribute") != compact,)

        def reduce() -> nn.Module:
            return nn.Sequential(*conv_norm_act(in_channels, feats_channels, 1, **self.layer_cfg))

        def attention() -> nn.Module:
            return nn.Sequential(
                *conv_norm_act(feats_channels, feats_channels, 1, **self.layer_cfg),
                nn.Conv2d(feats_channels, mask_area, 1, bias=False),
            )

        self.reduce, self.attention = reduce(), attention()
        if both:
            self.reduce_p, self.attention_p = reduce(), attention()
        self.proj = nn.Sequential(
            nn.Conv2d(len(self.transposed) * feats_channels, in_channels, 1, padding=1, bias=False),
            BuildNormalization(placeholder=in_channels, norm_cfg=self.norm_cfg),
            BuildActivation(self.act_cfg),
        )
        self.decoder = nn.Sequential(
            *conv_norm_act(2 * in_channels, feats_channels, 3, **self.layer_cfg),
            nn.Dropout2d(dropout),
            nn.Conv2d(feats_channels, self.num_classes, 1),
        )

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, in_channels, h, w)
        x = features[-1]
        size, align_corners = self._shrunken(x)
        branches: list[Any] = [(self.reduce, self.attention)]
        if len(self.transposed) > 1:
            branches.append((self.reduce_p, self.attention_p))
        attended = []
        for (reduce, attention), transposed in zip(branches, self.transposed, strict=True):
            y = resize(reduce(x), size, align_corners)  # (N, F, h', w')
            weights = self._weights(attention(y))  # (N, P, P)
            weights = weights.transpose(1, 2) if transposed else weights
            weights = weights.softmax(dim=1) if self.psa_softmax else weights
            attended.append((y.flatten(2) @ weights / self.normalization_factor).reshape(y.shape))
        y = resize_like(self.proj(torch.cat(attended, dim=1)), x, align_corners)
        return self.decoder(torch.cat([x, y], dim=1))  # (N, K, h, w)

    def _shrunken(self, x: Tensor) -> tuple[tuple[int, int], bool]:
        """Return the size that attention works at, and the `align_corners` for getting there and back."""
        height, width = x.shape[2:]
        factor = self.shrink_factor
        if factor == 1:
            return (height, width), self.align_corners
        if height % factor and width % factor:
            return ((height - 1) // factor + 1, (width - 1) // factor + 1), True
        return (height // factor, width // factor), False

    def _weights(self, scores: Tensor) -> Tensor:
        """Return a weight for each pair of positions, (N, P, P), of scores (N, M, h, w)."""
        if not self.compact:
            return collect_attention(scores, self.mask_size)
        if scores.shape[1] != scores.shape[2] * scores.shape[3]:
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['mask_size']: is {self.mask_size}, but with 'compact' it must be the size of "
                f"the map, here {tuple(scores.shape[2:])}; use 'compact' = False for images of any size."
            )
        return scores.flatten(2)
