"""Where scenes are painted: the camera, the picture and its label map, and upright things with their shadows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .classes import MEADOW, ROAD, VOID, WATER
from .light import Light
from .noise import Array
from .shapes import Shape, union

Paint = Callable[[Array, Array], Array]  # metres right of the foot, metres above it -> colours (3, h, w) or (3, 1, 1)
Window = tuple[slice, slice]  # rows, columns
EVERYWHERE: Window = (slice(None), slice(None))

GROUND = np.isin(np.arange(256), (MEADOW, ROAD, WATER))  # by label: what shadows fall on


@dataclass(frozen=True)
class Camera:
    """A level camera above flat ground.

    Args:
        size: (height, width) of the picture, pixels.
        horizon: row of the horizon, pixels.
        height: of the camera above the ground, metres.
        focal: focal length, pixels.
    """

    size: tuple[int, int]
    horizon: float
    height: float
    focal: float

    def scale(self, depth: float) -> float:
        """Pixels a metre so many metres away."""
        return self.focal / depth

    def foot(self, across: float, depth: float) -> tuple[float, float]:
        """The (column, row) of a point of the ground: metres right of the middle, metres away."""
        scale = self.scale(depth)
        return self.size[1] / 2 + across * scale, self.horizon + self.height * scale


@dataclass(frozen=True)
class Thing:
    """Something upright.

    Args:
        label: its class.
        reach: how far it extends to each side of its foot, metres.
        top: how far it extends above its foot, metres.
        parts: the shape and the colours of each, in metres, painted in this order.
        lift: how far its foot is above the ground, metres.
    """

    label: int
    reach: float
    top: float
    parts: Sequence[tuple[Shape, Paint]]
    lift: float = 0.0


class Canvas:
    """A picture in the making.

    Attributes:
        image: linear RGB, float32 (3, H, W).
        labels: uint8 (H, W).
        columns, rows: where the pixels' centres are, float32 (1, W) and (H, 1).
    """

    def __init__(self, camera: Camera, light: Light):
        height, width = camera.size
        self.camera, self.light = camera, light
        self.image: Array = np.zeros((3, height, width), np.float32)
        self.labels = np.zeros((height, width), np.uint8)
        self.columns: Array = np.arange(width, dtype=np.float32)[None] + 0.5
        self.rows: Array = np.arange(height, dtype=np.float32)[:, None] + 0.5

    def paint(self, coverage: Array, colour: Array, window: Window = EVERYWHERE) -> None:
        """Lay a colour over the picture."""
        image = self.image[:, *window]
        image += (colour - image) * coverage

    def mark(self, coverage: Array, label: int, window: Window = EVERYWHERE) -> None:
        """Give the label to the pixels that something covers; those that it shares with other classes become void."""
        labels = self.labels[window]
        labels[(coverage > 0.15) & (labels != label)] = VOID
        labels[coverage > 0.85] = label

    def stand(self, thing: Thing, across: float, depth: float) -> None:
        """Put a thing, and its shadow, so many metres right of the middle and away."""
        column, row = self.camera.foot(across, depth)
        scale = self.camera.scale(depth)
        if not thing.lift:
            self._shade(thing, column, row, scale)
        row -= thing.lift * scale
        side = thing.reach * scale + 1
        window = self._window(column - side, row - thing.top * scale - 1, column + side, row + 1)
        if window is None:
            return
        x, y = self._from_foot(window, column, row, scale)
        covered: Array = np.zeros(x.shape, np.float32)
        for shape, paint in thing.parts:
            coverage = np.clip(0.5 - shape(x, y) * scale, 0, 1)
            self.paint(coverage, self.light.through_air(paint(x, y), depth), window)
            covered = np.minimum(covered + coverage, 1)  # parts side by side leave no seam
        self.mark(covered, thing.label, window)

    def _shade(self, thing: Thing, column: float, row: float, scale: float) -> None:
        """Darken the ground where the thing keeps the sun off: its silhouette, sheared along the light."""
        right, up, toward = self.light.direction
        foreshortening = (row - self.camera.horizon) / self.camera.focal
        down = -toward / up * foreshortening  # how far the shadow falls on the screen for each unit of height
        down = max(down, 0.1) if down >= 0 else min(down, -0.1)
        slide = -right / up
        side, drop = (abs(slide) * thing.top + thing.reach) * scale, thing.top * down * scale
        window = self._window(column - side, row + min(drop, 0) - 1, column + side, row + max(drop, 0) + 1)
        if window is None:
            return
        x, y = self._from_foot(window, column, row, scale)
        y = y / -down
        silhouette = union([shape for shape, _ in thing.parts])(x - y * slide, y)
        dark = np.clip(0.5 - silhouette / 0.4, 0, 1) * (y > -0.2) * GROUND[self.labels[window]]
        sunlight = self.light.sun * up
        self.image[:, *window] *= 1 - dark * (0.9 * sunlight / (self.light.ambient + sunlight))

    def _from_foot(self, window: Window, column: float, row: float, scale: float) -> tuple[Array, Array]:
        """Metres right of a foot and above it, (h, w) each."""
        x, y = (self.columns[:, window[1]] - column) / scale, (row - self.rows[window[0]]) / scale
        return np.repeat(x, len(y), 0), np.repeat(y, x.shape[1], 1)

    def _window(self, left: float, top: float, right: float, bottom: float) -> Window | None:
        """The part of a rectangle (pixels) that lies in the picture; None where there is none."""
        height, width = self.labels.shape
        first_row, last_row = max(int(top), 0), min(int(bottom) + 1, height)
        first_column, last_column = max(int(left), 0), min(int(right) + 1, width)
        if first_row >= last_row or first_column >= last_column:
            return None
        return slice(first_row, last_row), slice(first_column, last_column)
