"""Attention with biases that are sums of one for the vertical and one for the horizontal distance."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .patchembed import Size

MAX_BIASES = 1 << 23  # at once: 32 MB of float32


def attend_with_positions(
    query: Tensor, key: Tensor, value: Tensor, rel_pos_h: Tensor, rel_pos_w: Tensor, size: Size
) -> Tensor:
    """Return what each place finds in its map; queries choose how much distances count.

    The biases would be a matrix of all pairs of places. They are made for a few maps and rows at a time, so that
    memory grows with the number of places and not with its square; with gradients they are made anew for these.

    Paper: Li et al., "MViTv2", CVPR 2022, arXiv:2112.01526, section 4.1.

    Args:
        query, key, value: (G, h * w, d), G maps, each of one image, window and head.
        rel_pos_h, rel_pos_w: (2h - 1, d) and (2w - 1, d), a vector for each distance; of other lengths, they are
            interpolated.

    Returns:
        (G, h * w, d)
    """
    h, w = size
    bias_h = torch.einsum("gyxd,yYd->gyxY", query.unflatten(1, size), _distances(rel_pos_h, h))
    bias_w = torch.einsum("gyxd,xXd->gyxX", query.unflatten(1, size), _distances(rel_pos_w, w))
    maps, rows = MAX_BIASES // (h * w) ** 2, MAX_BIASES // (h * w * w)
    if len(query) <= maps:
        return _attend(query, key, value, bias_h, bias_w)
    maps, rows, parts = max(maps, 1), min(max(rows, 1), h), []
    for g in range(0, len(query), maps):
        some = slice(g, g + maps)
        for y in range(0, h, rows):
            given = (query[some, y * w : (y + rows) * w], key[some], value[some])
            biases = (bias_h[some, y : y + rows], bias_w[some, y : y + rows])
            if torch.is_grad_enabled():
                parts.append(checkpoint(_attend, *given, *biases, use_reentrant=False))
            else:
                parts.append(_attend(*given, *biases))
    bands = -(-h // rows)
    return torch.cat([torch.cat(parts[i : i + bands], dim=1) for i in range(0, len(parts), bands)])


def _attend(query: Tensor, key: Tensor, value: Tensor, bias_h: Tensor, bias_w: Tensor) -> Tensor:
    bias = bias_h[..., :, None] + bias_w[..., None, :]  # (G, rows, w, h, w)
    bias = bias.flatten(3).flatten(1, 2).to(query.dtype)
    return F.scaled_dot_product_attention(query[:, None], key[:, None], value[:, None], attn_mask=bias[:, None])[:, 0]


def _distances(table: Tensor, length: int) -> Tensor:
    """Return for each pair of `length` positions the vector of their distance, (length, length, d)."""
    if len(table) != 2 * length - 1:
        table = F.interpolate(table.T[None], 2 * length - 1, mode="linear")[0].T
    places = torch.arange(length, device=table.device)
    return table[places[:, None] - places + length - 1]
