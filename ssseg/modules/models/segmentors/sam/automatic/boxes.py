"""Boxes around masks."""

from collections.abc import Sequence

import torch
from torch import Tensor


def boxes_of_masks(masks: Tensor) -> Tensor:
    """Return the first and last column and row of each mask, (..., 4) int64: x0, y0, x1, y1; zeros for an empty one.

    Args:
        masks: (..., H, W) bool.
    """
    ends = []
    for axis in (-2, -1):  # columns first
        hit = masks.any(dim=axis)  # (..., W), then (..., H)
        places = torch.arange(hit.shape[-1], device=masks.device)
        ends.append((places.where(hit, hit.shape[-1]).amin(-1), places.where(hit, -1).amax(-1)))
    (x0, x1), (y0, y1) = ends
    boxes = torch.stack([x0, y0, x1, y1], dim=-1)
    return boxes * (x1 >= 0)[..., None]


def near_inner_edges(boxes: Tensor, crop: Sequence[int], size: tuple[int, int], tolerance: float = 20) -> Tensor:
    """Return for each box whether it ends near an edge of the crop that is no edge of the picture, (N,) bool.

    Such an object goes on outside of the crop.

    Args:
        boxes: (N, 4), x0, y0, x1, y1 in the whole picture.
        crop: x0, y0, x1, y1.
        size: (H, W) of the picture.
        tolerance: what counts as near, in pixels.
    """
    corners = boxes.float()
    near_crop, near_picture = (
        (corners - corners.new_tensor(edges)).abs() <= tolerance for edges in (crop, (0, 0, size[1], size[0]))
    )
    return (near_crop & ~near_picture).any(dim=1)


def xywh(box: Sequence[int]) -> list[int]:
    """Return x, y, width and height of a box x0, y0, x1, y1."""
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]
