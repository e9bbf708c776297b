"""Changing the size of maps: scores smoothly, labels by picking."""

import torch
import torch.nn.functional as F
from torch import Tensor


def resize(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    """Interpolate (N, C, h, w) bilinearly to `size` (H, W); what has that size already is returned as it is.

    Args:
        align_corners: the centres of the corner pixels stay in place, else the outer edges do.
    """
    if x.shape[2:] == size:
        return x
    return F.interpolate(x, size, mode="bilinear", align_corners=align_corners)


def resize_like(x: Tensor, other: Tensor, align_corners: bool) -> Tensor:
    """Interpolate (N, C, h, w) bilinearly to the size of `other` (N, ..., H, W)."""
    return resize(x, other.shape[-2:], align_corners)  # type: ignore[arg-type]


def sample_labels(labels: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    """Return (N, h, w), at each place of a map of `size` (h, w) the label of (N, H, W) nearest to its centre."""
    rows, columns = (
        _nearest(given, wanted, align_corners, labels.device)
        for given, wanted in zip(labels.shape[1:], size, strict=True)
    )
    return labels[:, rows[:, None], columns]


def _nearest(given: int, wanted: int, align_corners: bool, device: torch.device) -> Tensor:
    places = torch.arange(wanted, device=device)
    if align_corners:
        return (places * (given - 1) / max(wanted - 1, 1)).round().long()
    return ((places + 0.5) * given / wanted).long()
