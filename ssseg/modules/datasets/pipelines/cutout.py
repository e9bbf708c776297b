from collections.abc import Sequence
from typing import Any

import numpy as np

from .arrays import Sample, arrays_of, check_fill, size_of
from .checks import check_interval, check_number, is_number, is_pair, refuse


class RandomCutOut:
    """Fills random rectangles, with probability `prob`.

    Reads and writes `image`, `seg_target`, `edge_target` and `img2aug_pos_mapper`, where present.

    Paper: DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017,
    arXiv:1708.04552, section 3.

    Args:
        prob: in [0, 1].
        n_holes: (least, most) rectangles of a sample, both included.
        cutout_shape: (width, height) of a rectangle in pixels, or several, of which one is drawn for each rectangle.
        cutout_ratio: the same as shares of the image, in [0, 1]. Exactly one of the two is given.
        image_fill_value: a number, or one for each channel.
        seg_target_fill_value: for label maps and edge targets.
        img2aug_pos_mapper_fill_value: for position maps.

    Raises:
        ConfigError: an argument is out of range, or does not fit the channels or the dtype of a sample.
    """

    def __init__(
        self,
        prob: float,
        n_holes: Sequence[int],
        cutout_shape: Sequence[Any] | None = None,
        cutout_ratio: Sequence[Any] | None = None,
        image_fill_value: float | Sequence[float] = (0, 0, 0),
        seg_target_fill_value: float = -100,
        img2aug_pos_mapper_fill_value: float = -1,
    ):
        check_number(self, "prob", prob, 0, 1)
        self.prob = prob
        self.n_holes = check_interval(self, "n_holes", n_holes, 0, whole=True)
        if (cutout_shape is None) == (cutout_ratio is None):
            refuse(self, "cutout_shape", cutout_shape, f"given if and only if cutout_ratio={cutout_ratio!r} is not")
        self.is_ratio = cutout_shape is None
        name, holes = ("cutout_ratio", cutout_ratio) if self.is_ratio else ("cutout_shape", cutout_shape)
        self.holes: Any = [holes] if is_pair(holes) else holes
        limit = 1 if self.is_ratio else float("inf")
        if not (
            isinstance(self.holes, list | tuple)
            and self.holes
            and all(is_pair(hole) and 0 <= min(hole) <= max(hole) <= limit for hole in self.holes)
        ):
            refuse(self, name, holes, f"one or several pairs (width, height) of numbers in [0, {limit}]")
        values: Any = [image_fill_value] if is_number(image_fill_value) else image_fill_value
        if not (isinstance(values, list | tuple) and values and all(map(is_number, values))):
            refuse(self, "image_fill_value", image_fill_value, "a number or a sequence of numbers")
        self.image_fill_value = list(values)
        check_number(self, "seg_target_fill_value", seg_target_fill_value)
        check_number(self, "img2aug_pos_mapper_fill_value", img2aug_pos_mapper_fill_value)
        self.map_fill_values = {
            "seg_target": seg_target_fill_value,
            "edge_target": seg_target_fill_value,
            "img2aug_pos_mapper": img2aug_pos_mapper_fill_value,
        }

    def __call__(self, sample_meta: Sample) -> Sample:
        arrays = arrays_of(self, sample_meta)
        if np.random.rand() > self.prob or not arrays:
            return sample_meta
        windows = [self.draw_window(*size_of(arrays)) for _ in range(self.draw_count())]
        for key, array in arrays.items() if windows else ():
            value = self.fill_value(key, array)
            filled = sample_meta[key] = array.copy()
            for window in windows:
                filled[window] = value
        return sample_meta

    def draw_count(self) -> int:
        """Draw the number of rectangles."""
        return int(np.random.randint(self.n_holes[0], self.n_holes[1] + 1))

    def draw_window(self, height: int, width: int) -> tuple[slice, slice]:
        """Draw the rows and columns of a rectangle in an image of `height` x `width`."""
        left, top = np.random.randint(width), np.random.randint(height)
        hole_width, hole_height = self.holes[np.random.randint(len(self.holes))]
        if self.is_ratio:
            hole_width, hole_height = width * hole_width, height * hole_height
        return slice(top, top + int(hole_height)), slice(left, left + int(hole_width))

    def fill_value(self, key: str, array: np.ndarray) -> float | Sequence[float]:
        """Return what fills the rectangles of an array: a number, or one for each channel."""
        values: list[float] = self.image_fill_value if key == "image" else [self.map_fill_values[key]]
        if array.dtype.kind in "iu":
            for value in values:
                check_fill(self, key, np.iinfo(array.dtype), value)
        if len(set(values)) == 1:
            return values[0]
        channels = array.shape[2]
        if len(values) != channels:
            refuse(self, "image_fill_value", values, f"a number or {channels} of them, one for each channel")
        return values
