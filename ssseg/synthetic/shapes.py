"""Shapes as signed distances: negative inside, positive outside, in the unit of the coordinates; y points up."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from .noise import Array

Point = tuple[float, float]
Shape = Callable[[Array, Array], Array]  # coordinates x, y -> signed distance


def disc(centre: Point, radius: float) -> Shape:
    """A disc."""

    def distance(x: Array, y: Array) -> Array:
        dx, dy = x - centre[0], y - centre[1]
        return np.sqrt(dx * dx + dy * dy) - radius

    return distance


def box(left: float, bottom: float, right: float, top: float) -> Shape:
    """A rectangle along the axes."""
    return lambda x, y: np.maximum(np.maximum(left - x, x - right), np.maximum(bottom - y, y - top))


def polygon(*corners: Point) -> Shape:
    """A convex polygon, its corners in either direction."""
    sides: list[tuple[float, float, float]] = []
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        length = math.sqrt((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0))
        across, along = (y1 - y0) / length, (x0 - x1) / length
        sides.append((across, along, x0 * across + y0 * along))
    middle_x, middle_y = (sum(corner[k] for corner in corners) / len(corners) for k in (0, 1))
    across, along, offset = sides[0]
    if middle_x * across + middle_y * along > offset:  # clockwise: the normals point inwards
        sides = [(-across, -along, -offset) for across, along, offset in sides]

    def distance(x: Array, y: Array) -> Array:
        across, along, offset = sides[0]
        farthest = x * across + (y * along - offset)
        for across, along, offset in sides[1:]:
            farthest = np.maximum(farthest, x * across + (y * along - offset))
        return farthest

    return distance


def union(shapes: Sequence[Shape]) -> Shape:
    """Everything that lies in one of the shapes."""

    def distance(x: Array, y: Array) -> Array:
        nearest = shapes[0](x, y)
        for shape in shapes[1:]:
            nearest = np.minimum(nearest, shape(x, y))
        return nearest

    return distance


def smoothstep(value: Array, low: float, high: float) -> Array:
    """0 below `low`, 1 above `high`, a smooth step between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
