"""Scores at another size."""

import torch.nn.functional as F
from torch import Tensor

from .matrices import pays_as_matrices, resize_as_matrices


def resize(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    """Interpolate (N, C, h, w) bilinearly to `size` (H, W); what has that size already is returned as it is.

    Args:
        align_corners: the centres of the corner pixels stay in place, else the outer edges do.
    """
    if x.shape[2:] == size:
        return x
    if pays_as_matrices(x, size):
        return resize_as_matrices(x, size, align_corners)
    return F.interpolate(x, size, mode="bilinear", align_corners=align_corners)


def resize_like(x: Tensor, other: Tensor, align_corners: bool = False) -> Tensor:
    """Interpolate (N, C, h, w) bilinearly to the size of `other` (N, ..., H, W)."""
    return resize(x, other.shape[-2:], align_corners)  # type: ignore[arg-type]
