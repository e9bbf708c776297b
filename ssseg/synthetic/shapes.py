"""Signed distances: negative inside, positive outside, in the unit of the coordinates; y points up."""

import math
from collections.abc import Sequence

import numpy as np

from .noise import Array

Point = tuple[float, float]


def disc(x: Array, y: Array, centre: Point, radius: float) -> Array:
    """A disc."""
    dx, dy = x - centre[0], y - centre[1]
    return np.sqrt(dx * dx + dy * dy) - radius


def ellipse(x: Array, y: Array, centre: Point, radii: Point) -> Array:
    """An ellipse along the axes; off its axes the distance is approximate."""
    dx, dy = (x - centre[0]) / radii[0], (y - centre[1]) / radii[1]
    return (np.sqrt(dx * dx + dy * dy) - 1) * min(radii)


def polygon(x: Array, y: Array, corners: Sequence[Point]) -> Array:
    """A convex polygon; `corners` run counter-clockwise."""
    distance = None
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        length = math.sqrt((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0))
        side = (x - x0) * ((y1 - y0) / length) + (y - y0) * ((x0 - x1) / length)
        distance = side if distance is None else np.maximum(distance, side)
    assert distance is not None
    return distance


def box(x: Array, y: Array, left: float, bottom: float, right: float, top: float) -> Array:
    """A rectangle along the axes."""
    return np.maximum(np.maximum(left - x, x - right), np.maximum(bottom - y, y - top))


def smoothstep(value: Array, low: float, high: float) -> Array:
    """0 below `low`, 1 above `high`, a smooth step between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
