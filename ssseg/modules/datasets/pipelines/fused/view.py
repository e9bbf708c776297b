"""A window of a resized picture, made without resizing what lies outside it."""

import math
from collections.abc import Mapping

import cv2
import numpy as np

from ...labelcodes import EVERYTHING, LabelCodes, Window
from ..arrays import INTERPOLATIONS
from ..flip import RandomFlip, mirrored
from ..resize import CENTRED, Size, pixels_at_centres, resized

MODES = ("nearest", CENTRED)  # of label maps whose windows can be made alone
WHOLE_UP_TO = 2.8  # times the window's area: so far resizing all of a label map is as fast as picking its pixels
PHASE = 1 / 340  # pixels, of rows and columns together; between 0 and 255 that is 3/4 of a grey level


class View:
    """A picture and its label map after a resize, crops and flips, of which only what is left is computed.

    Both are, bit for bit, what resizing and then cutting gives; with `near`, grey levels to 1.

    Args:
        image: (H, W, 3) uint8.
        labels: its label map.
        size: (height, width) after the resize.
        interpolations: of `image` and of `seg_target`, one of `MODES`.
        near: read little more of the image than the window.
    """

    def __init__(
        self, image: np.ndarray, labels: LabelCodes, size: Size, interpolations: Mapping[str, str], near: bool = False
    ):
        self.source, self.codes, self.full, self.interpolations = image, labels, size, interpolations
        self.near = near
        self.top = self.left = 0
        self.height, self.width = size
        self.mirrored = False
        self.swaps: list[RandomFlip] = []
        self.resized_codes: np.ndarray | None = None
        self.picked: tuple[Window, np.ndarray] | None = None  # the last window; the one that is kept was tried before

    def crop(self, window: Window) -> None:
        """Keep a window of what is left."""
        rows, columns = window
        self.top, self.left = self._placed(rows, columns)
        self.height, self.width = rows.stop - rows.start, columns.stop - columns.start

    def flip(self, flip: RandomFlip) -> None:
        """Mirror what is left, labels exchanged as the transform says."""
        self.mirrored = not self.mirrored
        self.swaps.append(flip)

    def image(self) -> np.ndarray:
        """Return the image (height, width, 3) uint8."""
        window = slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)
        if self.interpolations["image"] == "bilinear":
            image = bilinear_window(self.source, self.full, window, self.near)
        else:
            image = resized(self.source, self.full, self.interpolations["image"])[window]
        return mirrored(image) if self.mirrored else image

    def labels(self) -> np.ndarray:
        """Return the label map (height, width) int16."""
        return self[slice(0, self.height), slice(0, self.width)]

    def all_labels(self) -> np.ndarray:
        """As `labels`, and keep those of the whole picture for the next call."""
        self._resize_codes()
        return self.labels()

    def __getitem__(self, window: Window) -> np.ndarray:
        """Return the labels of a window of what is left."""
        rows, columns = window
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if self.full[0] * self.full[1] <= WHOLE_UP_TO * height * width:
            self._resize_codes()
        top, left = self._placed(rows, columns)
        across, down = slice(left, left + width), slice(top, top + height)
        if self.resized_codes is not None:
            labels = self.codes.decode(self.resized_codes[down, across])
        else:
            labels = self._picked(down, across)
        if self.mirrored:
            labels = mirrored(labels)
        for flip in self.swaps:
            labels = flip.swapped(labels)
        return labels

    def _placed(self, rows: slice, columns: slice) -> tuple[int, int]:
        """Top and left, in the resized picture, of a window of what is left."""
        left = self.width - columns.stop if self.mirrored else columns.start
        return self.top + rows.start, self.left + left

    def _resize_codes(self) -> None:
        if self.resized_codes is None:
            self.resized_codes = resized(self.codes[EVERYTHING], self.full, self.interpolations["seg_target"])

    def _picked(self, rows: slice, columns: slice) -> np.ndarray:
        """Labels of a window of the resized label map, each looked up where it comes from."""
        if self.picked is not None and self.picked[0] == (rows, columns):
            return self.picked[1]
        mode = self.interpolations["seg_target"]
        down = origins(self.codes.shape[0], self.full[0], mode)[rows]
        across = origins(self.codes.shape[1], self.full[1], mode)[columns]
        part = self.codes[slice(down[0], down[-1] + 1), slice(across[0], across[-1] + 1)]
        steps = [(0, down - down[0]), (1, across - across[0])]  # rows are copied as wholes, columns pixel by pixel
        for axis, places in steps if len(part) > len(down) else steps[::-1]:
            part = part.take(places, axis=axis)
        labels = self.codes.decode(part)
        self.picked = (rows, columns), labels
        return labels


def origins(old: int, new: int, mode: str) -> np.ndarray:
    """Which of `old` pixels in a line each of the `new` ones shows, (new,)."""
    if mode == CENTRED:
        return pixels_at_centres(old, new)
    line = np.arange(old, dtype=np.float32)[None]  # exact up to 2**24
    return cv2.resize(line, (new, 1), interpolation=INTERPOLATIONS[mode])[0].astype(np.intp)  # OpenCV is asked


def bilinear_window(image: np.ndarray, size: Size, window: Window, near: bool = False) -> np.ndarray:
    """Return a window of an image (H, W, C) uint8 as it is after bilinear resizing to `size`.

    OpenCV resizes from the corner of an array. So what is resized reaches from the corner of the image to the end of
    the window, which gives the very same numbers; or, with `near`, from a pixel near which, to `PHASE`, one of the
    result starts as well, at or before the window, which gives them to 1 grey level.
    """
    if image.shape[:2] == size:
        return image[window]
    (height, width), (rows, columns) = image.shape[:2], window
    down, across = height / size[0], width / size[1]  # original pixels in a new one
    top, left = aligned_start(window, down, across) if near else (0, 0)
    above, before = round(top * down), round(left * across)
    below = min(height, math.ceil(rows.stop * down) + 2)
    behind = min(width, math.ceil(columns.stop * across) + 2)
    linear = INTERPOLATIONS["bilinear"]
    if (above, before, below, behind) == (0, 0, height, width):
        part = cv2.resize(image, size[::-1], interpolation=linear)
    else:
        part = image[above:below, before:behind]
        part = cv2.resize(part, None, fx=size[1] / width, fy=size[0] / height, interpolation=linear)
    return part[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def aligned_start(window: Window, down: float, across: float) -> tuple[int, int]:
    """Return the row and column from which the least has to be resized so that a window can be cut out of it.

    Args:
        window: in new pixels.
        down, across: original pixels in a new one.
    """
    rows, columns = window
    (tops, top_phases), (lefts, left_phases) = _starts(rows.start, down), _starts(columns.start, across)
    areas = (rows.stop - tops)[:, None] * (columns.stop - lefts)
    areas[top_phases[:, None] + left_phases > PHASE] = np.iinfo(np.int64).max
    best = divmod(int(areas.argmin()), len(lefts))
    return int(tops[best[0]]), int(lefts[best[1]])


def _starts(start: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """New pixels from which `start` can be made, each nearer to where an original one starts than those behind it.

    Returns:
        the pixels, (N,) int64, and how far each is from there, (N,), in original pixels.
    """
    nearest = start - math.ceil(0.5 / scale)  # from here on `start` does not lean on what lies before
    candidates = np.arange(max(nearest, 0), -1, -1)
    places = candidates * scale
    phases = np.abs(places - np.rint(places))
    better = np.append(True, phases[1:] < np.minimum.accumulate(phases)[:-1])
    return candidates[better], phases[better]
