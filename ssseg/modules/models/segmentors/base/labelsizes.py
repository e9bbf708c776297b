"""Label maps at the size of a prediction, by picking."""

import torch
from torch import Tensor


def sample_labels(labels: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    """Return (N, h, w), at each place of a map of `size` (h, w) the label of (N, H, W) nearest to its centre."""
    rows, columns = (
        _nearest(given, wanted, align_corners, labels.device)
        for given, wanted in zip(labels.shape[1:], size, strict=True)
    )
    return labels[:, rows[:, None], columns]


def draw_labels(labels: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    """Return (N, h, w), at each place of a map of `size` (h, w) the label of a pixel of (N, H, W) in its cell.

    Which pixel of the cells is drawn for each image, the same one everywhere in it: over many draws every label counts,
    and none is off its place on average, as it would be with the same pixel each time.
    """
    if labels.shape[1:] == size:
        return labels
    rows, columns = (
        _drawn(given, wanted, align_corners, labels) for given, wanted in zip(labels.shape[1:], size, strict=True)
    )
    images = torch.arange(labels.shape[0], device=labels.device)
    return labels[images[:, None, None], rows[:, :, None], columns[:, None]]


def _nearest(given: int, wanted: int, align_corners: bool, device: torch.device) -> Tensor:
    places = torch.arange(wanted, device=device)
    if align_corners:
        return (places * (given - 1) / max(wanted - 1, 1)).round().long()
    return ((places + 0.5) * given / wanted).long()


def _drawn(given: int, wanted: int, align_corners: bool, labels: Tensor) -> Tensor:
    """Return (N, wanted) of `given` pixels, one of each cell."""
    share = torch.rand(labels.shape[0], 1, device=labels.device)
    places = torch.arange(wanted, device=labels.device)
    if align_corners:
        step = (given - 1) / max(wanted - 1, 1)
        return (places * step + (share - 0.5) * step).round().long().clamp(0, given - 1)
    return ((places + share) * given / wanted).long().clamp(max=given - 1)
