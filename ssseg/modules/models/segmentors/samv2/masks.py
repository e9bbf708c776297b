"""Masks without small holes and islands, and without overlap.

OpenCV finds connected regions, on the CPU, so that no compiled extension is needed.
"""

import cv2
import numpy as np
import torch
from torch import Tensor


def small_regions(masks: Tensor, max_area: float) -> Tensor:
    """Return which pixels of masks (..., H, W) bool are in regions of at most `max_area` pixels, alike.

    Regions are connected along edges and corners.
    """
    planes = masks.reshape(-1, *masks.shape[-2:]).cpu().numpy().astype(np.uint8)
    found = np.zeros(planes.shape, dtype=bool)
    for mask, small in zip(planes, found, strict=True):
        _, regions, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        few = stats[:, cv2.CC_STAT_AREA] <= max_area
        few[0] = False  # what is outside of all regions
        small[:] = few[regions]
    return torch.from_numpy(found).view(masks.shape).to(masks.device)


def without_small_regions(
    logits: Tensor, threshold: float, max_hole_area: float, max_island_area: float, margin: float
) -> Tensor:
    """Return logits (..., H, W) whose masks have no small holes and islands.

    Args:
        threshold: the logit above which a pixel belongs to a mask.
        max_hole_area, max_island_area: the largest that go, in pixels; 0 leaves all.
        margin: pixels of holes become this much more than the threshold, those of islands as much less.
    """
    cleaned = logits
    if max_hole_area > 0:
        cleaned = cleaned.masked_fill(small_regions(logits <= threshold, max_hole_area), threshold + margin)
    if max_island_area > 0:
        cleaned = cleaned.masked_fill(small_regions(logits > threshold, max_island_area), threshold - margin)
    return cleaned


def without_overlap(logits: Tensor) -> Tensor:
    """Return logits (B, 1, H, W) of which at each pixel only one object's, the largest, is above -10."""
    best = logits.argmax(dim=0, keepdim=True)
    index = torch.arange(len(logits), device=logits.device)[:, None, None, None]
    return logits.where(best == index, logits.clamp(max=-10.0))
