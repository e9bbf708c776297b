from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from .patchembed import Size, map_of, tokens_of
from .tokennorm import build_token_norm


def attend(
    query: Tensor, key: Tensor, value: Tensor, *, num_heads: int, mask: Tensor | None = None, dropout: float = 0.0
) -> Tensor:
    """Return for each token of `query` the mean of `value` that each head takes, the heads' channels side by side.

    Paper: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762, section 3.2.

    Args:
        query: (N, L, C).
        key, value: (N, S, C).
        mask: (N or 1, num_heads or 1, L, S), added to the products, or bool, True where there is attention.

    Returns:
        (N, L, C)
    """
    q, k, v = (x.unflatten(2, (num_heads, -1)).transpose(1, 2) for x in (query, key, value))
    return F.scaled_dot_product_attention(q, k, v, mask, dropout).transpose(1, 2).flatten(2)


class MultiheadAttention(nn.MultiheadAttention):
    """`nn.MultiheadAttention`, its entries and initial values, that never makes the matrix of weights."""

    def forward(  # type: ignore[override]
        self, query: Tensor, memory: Tensor, value: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return (N, L, C): what each token of `query` (N, L, C) finds in `memory` (N, S, C).

        Args:
            value: (N, S, C), what is found where `memory` only says where; None means `memory`.
            mask: as `attend` takes it.
        """
        weights = self.in_proj_weight.chunk(3)
        biases = [None] * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        q, k, v = map(F.linear, (query, memory, memory if value is None else value), weights, biases)
        dropout = self.dropout * self.training
        return self.out_proj(attend(q, k, v, num_heads=self.num_heads, mask=mask, dropout=dropout))


class SpatialReductionAttention(nn.Module):
    """Attention among the tokens of a map, to each position or, with `sr_ratio` > 1, to one of every r x r positions.

    Paper: Wang et al., "Pyramid Vision Transformer", ICCV 2021, arXiv:2102.12122, section 3.3.

    Args:
        attn_drop: share of the weights that is dropped while training.
        proj_drop: share of the result that is dropped while training.
        bias: give the projections biases.
        norm_cfg: of the reduced map.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        *,
        sr_ratio: int = 1,
        attn_drop: float = 0.0,
        proj_drop: float = 0.0,
        bias: bool = True,
        norm_cfg: Mapping[str, Any] | None = None,
    ):
        super().__init__()
        self.attn = MultiheadAttention(embed_dims, num_heads, attn_drop, bias)
        self.proj_drop = nn.Dropout(proj_drop)
        self.sr_ratio = sr_ratio
        if sr_ratio > 1:
            self.sr = nn.Conv2d(embed_dims, embed_dims, sr_ratio, stride=sr_ratio)
            self.norm = build_token_norm(embed_dims, norm_cfg)

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, h * w, C)
        return self.proj_drop(self.attn(x, self.reduced(x, size) if self.sr_ratio > 1 else x))

    def reduced(self, x: Tensor, size: Size) -> Tensor:
        """Return one token for each r x r positions; a smaller rest at the right or bottom counts for nothing."""
        rows, columns = (max(self.sr_ratio - length, 0) for length in size)
        padded = F.pad(map_of(x, size), (0, columns, 0, rows))  # a map smaller than r x r gives one token
        return self.norm(tokens_of(self.sr(padded)))
