"""Attention with biases for every pair of tokens, of which only a band exists at a time."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .decomposedpositions import MAX_BIASES


def attend_in_bands(
    query: Tensor, key: Tensor, value: Tensor, biases: Callable[[slice], Tensor], dropout: float = 0.0
) -> Tensor:
    """Return what each query finds, (N, heads, L, d).

    The biases of all pairs would be a matrix, and so would its gradients. They are made for a few queries at a time,
    and with gradients made anew for these, so that memory grows with the number of tokens and not with its square.

    Args:
        query: (N, heads, L, d).
        key, value: (N, heads, S, d).
        biases: gives for some of the queries what is added to the products, (1 or N, 1 or heads, queries, S).
        dropout: of the weights.
    """
    n, heads, length, _ = query.shape
    rows = max(MAX_BIASES // (n * heads * key.shape[2]), 1)

    def attend(band: Tensor, key: Tensor, value: Tensor, some: slice) -> Tensor:
        return F.scaled_dot_product_attention(band, key, value, biases(some).to(band.dtype), dropout)

    if rows >= length:
        return attend(query, key, value, slice(None))
    bands = []
    for first in range(0, length, rows):
        some = slice(first, first + rows)
        given = (query[:, :, some], key, value, some)
        bands.append(checkpoint(attend, *given, use_reentrant=False) if torch.is_grad_enabled() else attend(*given))
    return torch.cat(bands, dim=2)
