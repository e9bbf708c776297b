"""Multi-scale deformable attention."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from ...backbones.bricks.transformer import Size
from ...kernels import run_fastest


def deformable_attention(value: Tensor, sizes: Sequence[Size], locations: Tensor, weights: Tensor) -> Tensor:
    """Return for each token and head the weighted sum of values at places of several maps.

    A value between pixels is interpolated bilinearly, beyond the outermost it falls off to 0. Nothing of the size
    (tokens, points, channels) is made.

    Paper: Zhu et al., "Deformable DETR", ICLR 2021, arXiv:2010.04159, equation 3.

    Args:
        value: (N, S, heads, d), the pixels of the maps one after the other, row by row.
        sizes: (h, w) of each map; S is the sum of h * w.
        locations: (N, L, heads, maps, points, 2), x and y as fractions of the maps' width and height.
        weights: (N, L, heads, maps, points).

    Returns:
        (N, L, heads * d)
    """
    result: Tensor = run_fastest("deformable", _in_one_sum, value, sizes, locations, weights)
    return result


def _in_one_sum(value: Tensor, sizes: Sequence[Size], locations: Tensor, weights: Tensor) -> Tensor:
    """Do so with all reads of all maps in one `embedding_bag`."""
    n, num_pixels, num_heads, width = value.shape
    device, dtype = value.device, torch.int32 if value.numel() < 2**31 else torch.int64
    h, w = torch.tensor(sizes, dtype=dtype, device=device).T[..., None]  # (maps, 1) each
    starts = (h * w).cumsum(0, dtype=dtype) - h * w  # (maps, 1)
    x, x_share = _neighbours(locations[..., 0], w)
    y, y_share = _neighbours(locations[..., 1], h)
    image = torch.arange(n, dtype=dtype, device=device)[:, None, None, None, None, None]
    head = torch.arange(num_heads, dtype=dtype, device=device)[:, None, None, None]
    leftmost = image * num_pixels + starts[..., None] + y * w[..., None]  # (N, L, heads, maps, points, 2)
    rows = (leftmost * num_heads + head)[..., None] + x[..., None, :] * num_heads  # of (N * S * heads, d)
    shares = (weights[..., None] * y_share)[..., None] * x_share[..., None, :]
    indices, factors = (each.flatten(3).flatten(0, 2) for each in (rows, shares))  # (N * L * heads, reads) each
    sums: Tensor = _SumOfRows.apply(value.reshape(-1, width), indices, factors)
    return sums.view(n, -1, num_heads * width)


def _neighbours(fraction: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pixels before and after places along an axis, and what each counts: (..., 2).

    Pixels outside count 0, and are moved inside to be read.
    """
    place = fraction * length - 0.5  # the first pixel's centre is at 0
    before = place.detach().floor()
    part = place - before
    pixel = before.clamp(min=-2).minimum(length).to(length.dtype)
    pixels = torch.stack([pixel, pixel + 1], dim=-1)
    length = length[..., None]
    inside = (pixels >= 0) & (pixels < length)
    return pixels.clamp(min=0).minimum(length - 1), torch.stack([1 - part, part], dim=-1) * inside


class _SumOfRows(torch.autograd.Function):
    """Weighted sums of the rows of a table: (R, d), indices (B, P) and factors (B, P) to (B, d).

    The gradient of the table is such a sum again, of the rows of the result's gradient, once reads are sorted by what
    they read. That takes a third of the time of torch's own, and is deterministic.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, indices: Tensor, factors: Tensor) -> Tensor:
        ctx.save_for_backward(table, indices, factors)
        return F.embedding_bag(indices, table, per_sample_weights=factors, mode="sum")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None, Tensor | None]:
        table, indices, factors = ctx.saved_tensors
        of_table = of_factors = None
        if ctx.needs_input_grad[0]:
            read, order = indices.flatten().sort()
            first = torch.searchsorted(read, torch.arange(len(table), dtype=read.dtype, device=read.device))
            of_table = F.embedding_bag(
                order // indices.shape[1], gradient, first, per_sample_weights=factors.flatten()[order], mode="sum"
            )
        if ctx.needs_input_grad[2]:
            with torch.enable_grad():
                factors = factors.detach().requires_grad_()
                sums = F.embedding_bag(indices, table.detach(), per_sample_weights=factors, mode="sum")
            (of_factors,) = torch.autograd.grad(sums, factors, gradient)
        return of_table, None, of_factors
