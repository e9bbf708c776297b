"""What the numbers in annotation files may be."""

from typing import Any

import numpy as np

from ..utils.images import MAX_PIXELS

MAX_COORDINATE = 2.0**24  # pixels from the origin

Array = np.ndarray[Any, Any]


def size_of(height: Any, width: Any) -> tuple[int, int]:
    """Return the size of an image, (height, width); ValueError where the two are none."""
    if type(height) is not int or type(width) is not int or min(height, width) < 1 or height * width > MAX_PIXELS:
        raise ValueError(f"an image cannot have the height {height!r} and the width {width!r}")
    return height, width


def points_of(values: Any) -> Array:
    """Return points x, y in pixels, (N, 2) float64; ValueError or TypeError where `values` are none.

    Args:
        values: x and y in turn, or pairs of them.
    """
    points = np.array(values, np.float64).reshape(-1, 2)
    if not (np.abs(points) < MAX_COORDINATE).all():  # false for NaN as well
        raise ValueError("a point is not finite, or far outside of any image")
    return points
