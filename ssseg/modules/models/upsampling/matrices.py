"""Bilinear resizing of small maps as two products of matrices, which a CPU does several times faster."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .taps import resize_weights

FEW = 32  # rows and columns of a map up to which the products are cheap whatever the new size
SMALL = 128  # new height and width together up to which torch resizes one value after the other


def pays_as_matrices(x: Tensor, size: Sequence[int]) -> bool:
    """Return whether `resize_as_matrices` is the faster way for maps (N, C, h, w)."""
    if x.device.type != "cpu" or torch.compiler.is_compiling() or torch.jit.is_tracing():
        return False
    (h, w), (height, width) = x.shape[2:], size
    return height >= h and width >= w and (max(h, w) <= FEW or height + width <= SMALL)


def resize_as_matrices(x: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """Return what `F.interpolate` makes of (N, C, h, w) bilinearly, but for rounding: (N, C, H, W) of `size`."""
    (n, c, h, w), (height, width) = x.shape, size
    with torch.autocast("cpu", enabled=False):
        rows, columns = (resize_weights(*pair, align_corners, x) for pair in ((h, height), (w, width)))
        wide = (x.reshape(-1, w) @ columns.T).view(n, c, h, width)
        return rows @ wide
