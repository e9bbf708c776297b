"""Learnt biases of attention, one for each offset in a grid, and for pairs with a class token."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from .patchembed import Size

CLASS_ROWS = 3  # the last rows of a table: from the class token, to it, from it to itself


def relative_position_index_with_class(
    size: Size, some: slice = slice(None), device: torch.device | None = None
) -> Tensor:
    """Return for each pair of tokens, the first of which is the class token, its row of a table.

    Paper: Bao et al., "BEiT", ICLR 2022, arXiv:2106.08254, as in the authors' code.

    Args:
        some: which tokens are the first of a pair.

    Returns:
        (1 + h * w or fewer, 1 + h * w) int64, in 0 .. (2h - 1)(2w - 1) + 2
    """
    h, w = size
    offsets = (2 * h - 1) * (2 * w - 1)
    to = torch.arange(-1, h * w, device=device)  # the class token is -1
    of = to[some, None]
    index = (of // w - to // w + h - 1) * (2 * w - 1) + of % w - to % w + w - 1
    index = index.masked_fill(of < 0, offsets).masked_fill(to < 0, offsets + 1)
    return index.masked_fill((of < 0) & (to < 0), offsets + 2)


def resize_bias_table(table: Tensor, old: Size, new: Size) -> Tensor:
    """Interpolate a table for grids of size `old` to one for `new`.

    Offsets of a smaller grid keep their biases. For a larger one the biases are moved outwards in steps that grow
    geometrically, so that near ones hardly change, and a cubic spline gives those between, as in BEiT's code.

    Args:
        table: ((2 * old[0] - 1) * (2 * old[1] - 1) + 3, heads); the last three rows stay.
    """
    if old == new:
        return table
    rows, columns = (torch.from_numpy(_offset_weights(*lengths)).to(table) for lengths in zip(old, new, strict=True))
    grid = table[:-CLASS_ROWS].unflatten(0, (2 * old[0] - 1, 2 * old[1] - 1))  # (dy, dx, heads)
    grid = torch.einsum("Yy,yxh,Xx->YXh", rows, grid, columns)
    return torch.cat([grid.flatten(0, 1), table[-CLASS_ROWS:]])


@cache
def _offset_weights(old: int, new: int) -> np.ndarray:
    """Return (2 * new - 1, 2 * old - 1): what each old offset counts for each new one."""
    steps: np.ndarray = np.ones(old - 1)
    if new > old > 1:
        low, high = 1.0, float(new)
        while high - low > 1e-9:
            ratio = (low + high) / 2
            low, high = (low, ratio) if (ratio ** np.arange(old - 1)).sum() > new - 1 else (ratio, high)
        steps = low ** np.arange(old - 1)
        steps *= (new - 1) / steps.sum()
    outwards = steps.cumsum()
    places = np.concatenate([-outwards[::-1], [0], outwards])
    return spline_weights(places, np.arange(1 - new, new)).astype(np.float32)


def spline_weights(knots: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return (places, knots): the value at each place of the cubic spline through a one at one knot, else zeros.

    The spline is the "not-a-knot" one: its first two pieces are one polynomial, and so are its last two.

    Source: de Boor, "A Practical Guide to Splines", Springer 1978, chapter IV.
    """
    count = len(knots)
    if count < 4:  # one polynomial through all
        return np.vander(places, count) @ np.linalg.inv(np.vander(knots, count))
    h = np.diff(knots)
    left, right = np.zeros((count, count)), np.zeros((count, count))
    left[0, :3] = h[1], -h[0] - h[1], h[0]
    left[-1, -3:] = h[-1], -h[-2] - h[-1], h[-2]
    for i in range(1, count - 1):
        left[i, i - 1 : i + 2] = h[i - 1], 2 * (h[i - 1] + h[i]), h[i]
        right[i, i - 1 : i + 2] = 6 / h[i - 1], -6 / h[i - 1] - 6 / h[i], 6 / h[i]
    curvature, values = np.linalg.solve(left, right), np.eye(count)  # at the knots, of each spline
    piece = np.clip(np.searchsorted(knots, places, side="right") - 1, 0, count - 2)
    b = ((places - knots[piece]) / h[piece])[:, None]
    a = 1 - b
    bend = (a**3 - a) * curvature[piece] + (b**3 - b) * curvature[piece + 1]
    return a * values[piece] + b * values[piece + 1] + (h[piece] ** 2 / 6)[:, None] * bend
