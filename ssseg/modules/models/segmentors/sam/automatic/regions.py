from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def remove_small_regions(mask: Mask, min_area: float, kind: Literal["holes", "islands"]) -> tuple[Mask, bool]:
    """Return a mask without its small holes or islands, and whether there were any.

    Regions are connected along edges and corners. A mask of small islands only keeps the largest.

    Args:
        mask: (H, W).
        min_area: smaller regions go, in pixels.
    """
    of_interest = ~mask if kind == "holes" else mask
    _, regions, stats, _ = cv2.connectedComponentsWithStats(of_interest.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not (areas < min_area).any():
        return mask, False
    small = np.concatenate([[kind == "holes"], areas < min_area])  # number 0 is everything else
    if kind == "holes":
        return small[regions], True
    small[0] = True
    if small.all():
        small[1 + areas.argmax()] = False
    return ~small[regions], True
