"""Where scenes are painted: the picture, its label map, the camera, and upright things with their shadows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .classes import VOID
from .light import Light
from .noise import Array

Shape = Callable[[Array, Array], Array]  # metres right of the foot, metres above it -> signed distance in metres
Paint = Callable[[Array, Array], Array]  # the same coordinates -> linear colours (3, h, w) or (3, 1, 1)
Window = tuple[slice, slice]  # rows, columns
EVERYWHERE: Window = (slice(None), slice(None))


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
        """Pixels a metre at this depth (metres)."""
        return self.focal / depth

    def foot(self, across: float, depth: float) -> tuple[float, float]:
        """The (column, row) of a point of the ground: metres right of the middle, metres away."""
        scale = self.scale(depth)
        return self.size[1] / 2 + across * scale, self.horizon + self.height * scale


@dataclass(frozen=True)
class Thing:
    """Something upright, made of parts that are painted in order.

    Args:
        label: its class.
        reach: how far it extends to each side of its foot, metres.
        top: its height, metres.
        parts: the shape and the colours of each part.
        lift: how far its foot is above the ground, metres.
    """

    label: int
    reach: float
    top: float
    parts: Sequence[tuple[Shape, Paint]]
    lift: float = 0.0

    def silhouette(self, x: Array, y: Array) -> Array:
        """Signed distance to the union of the parts."""
        distance = self.parts[0][0](x, y)
        for shape, _ in self.parts[1:]:
            distance = np.minimum(distance, shape(x, y))
        return distance


class Canvas:
    """A picture in the making.

    Attributes:
        image: linear RGB, float32 (3, H, W).
        labels: uint8 (H, W).
        columns, rows: the coordinates of the pixels' centres, float32 (1, W) and (H, 1).
    """

    def __init__(self, camera: Camera, light: Light):
        height, width = camera.size
        self.camera, self.light = camera, light
        self.image = np.zeros((3, height, width), np.float32)
        self.labels = np.zeros((height, width), np.uint8)
        self.columns = np.arange(width, dtype=np.float32)[None] + 0.5
        self.rows = np.arange(height, dtype=np.float32)[:, None] + 0.5

    def paint(self, coverage: Array, colour: Array, window: Window = EVERYWHERE) -> None:
        """Lay a colour over the picture."""
        image = self.image[:, *window]
        image += (colour - image) * coverage

    def mark(self, coverage: Array, label: int, window: Window = EVERYWHERE) -> None:
        """Give the label to the pixels that something covers; those that it shares with others become void."""
        labels = self.labels[window]
        labels[(coverage > 0.15) & (labels != label)] = VOID
        labels[coverage > 0.85] = label

    def window(self, left: float, top: float, right: float, bottom: float) -> Window:
        """The part of a rectangle (pixels) that lies in the picture."""
        height, width = self.labels.shape
        rows = slice(min(max(int(top), 0), height), min(max(int(bottom) + 1, 0), height))
        columns = slice(min(max(int(left), 0), width), min(max(int(right) + 1, 0), width))
        return rows, columns

    def stand(self, thing: Thing, across: float, depth: float, ground: NDArray[np.bool_]) -> None:
        """Put a thing on the ground, with its shadow.

        Args:
            across, depth: of its foot, metres right of the middle and away.
            ground: the labels that shadows fall on, a table indexed by label.
        """
        column, row = self.camera.foot(across, depth)
        scale = self.camera.scale(depth)
        if not thing.lift:
            self._shade(thing, column, row, scale, ground)
        row -= thing.lift * scale
        window = self.window(
            column - thing.reach * scale - 1, row - thing.top * scale - 1, column + thing.reach * scale + 1, row + 1
        )
        if window[0].start >= window[0].stop or window[1].start >= window[1].stop:
            return
        x = (self.columns[:, window[1]] - column) / scale
        y = (row - self.rows[window[0]]) / scale
        x, y = np.broadcast_arrays(x, y)
        covered = np.zeros(x.shape, np.float32)
        for shape, paint in thing.parts:
            coverage = np.clip(0.5 - shape(x, y) * scale, 0, 1)
            self.paint(coverage, self.light.through_air(paint(x, y), depth), window)
            covered = np.minimum(covered + coverage, 1)
        self.mark(covered, thing.label, window)

    def _shade(self, thing: Thing, column: float, row: float, scale: float, ground: NDArray[np.bool_]) -> None:
        """Darken the ground where the thing keeps the sun off: its silhouette, sheared along the light."""
        right, up, toward = self.light.direction
        flat = (row - self.camera.horizon) / self.camera.focal  # rows a metre of depth takes, in units of `scale`
        down = -toward / up * flat  # rows that the shadow falls a metre of height, in units of `scale`
        down = down if abs(down) > 0.1 else (0.1 if down >= 0 else -0.1)
        slide = -right / up
        reach, drop = abs(slide) * thing.top + thing.reach, thing.top * down
        window = self.window(
            column - reach * scale,
            row + min(drop, 0) * scale - 1,
            column + reach * scale,
            row + max(drop, 0) * scale + 1,
        )
        if window[0].start >= window[0].stop or window[1].start >= window[1].stop:
            return
        y = (self.rows[window[0]] - row) / (scale * down)
        x = (self.columns[:, window[1]] - column) / scale - y * slide
        x, y = np.broadcast_arrays(x, y)
        dark = np.clip(0.5 - thing.silhouette(x, y) / 0.4, 0, 1) * (y > -0.2)
        dark *= ground[self.labels[window]]
        lit = self.light.sun * up
        kept = self.light.ambient / (self.light.ambient + lit)
        self.image[:, *window] *= 1 - dark * (1 - kept) * 0.9
