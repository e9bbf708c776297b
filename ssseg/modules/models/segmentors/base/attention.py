"""Attention between maps."""

import torch.nn.functional as F
from torch import Tensor


def attend(query: Tensor, key: Tensor, value: Tensor, scale: float | None = None) -> Tensor:
    """Return at each place of `query` the mean of `value`, weighted with softmax(scale * query . key) over its places.

    Args:
        query: (N, C, L) or (N, C, h, w).
        key: (N, C, S) or (N, C, ., .), S places in all.
        value: (N, V, S) or (N, V, ., .).
        scale: None means 1 / sqrt(C).

    Returns:
        (N, V, L), or (N, V, h, w) where `query` is a map.
    """
    # One head, channels last and contiguous: what the fused kernels take.
    q, k, v = (x.flatten(2).transpose(1, 2).contiguous().unsqueeze(1) for x in (query, key, value))
    mean = F.scaled_dot_product_attention(q, k, v, scale=scale)  # (N, 1, L, V)
    return mean.squeeze(1).transpose(1, 2).unflatten(2, query.shape[2:])


def weighted_means(x: Tensor, scores: Tensor) -> Tensor:
    """Return for each of K maps of scores the mean of a map over its places, weighted with their softmax.

    Args:
        x: (N, C, h, w).
        scores: (N, K, h, w).

    Returns:
        (N, C, K, 1)
    """
    weights = scores.flatten(2).softmax(dim=2)  # (N, K, L)
    return (x.flatten(2) @ weights.transpose(1, 2)).unsqueeze(3)
