from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from .arrays import Sample, arrays_of, size_of
from .checks import check_number, check_size
from .rareclass import RareClassFocus


class RandomCrop:
    """Cuts out a random window; with a label map one in which no class dominates, if ten tries find such a one.

    Reads and writes `image`, `seg_target`, `edge_target` and `img2aug_pos_mapper`, where present. An edge of the
    window that is longer than the image's is shortened to it.

    Args:
        crop_size: (height, width) in pixels, or one number for both.
        ignore_index: label that does not count. Negative labels never do.
        one_category_max_ratio: in [0, 1]; a window is taken when it holds two labels or more and the most frequent
            one covers less than this share of its labelled pixels. The tenth window is taken in any case.

    Attributes:
        focus: draws the centre of a window, which then is taken as it is; None where windows lie anywhere. The data set
            sets it, see its option `rare_class_crop`.

    Raises:
        ConfigError: an argument is out of range.
    """

    TRIES = 10
    focus: RareClassFocus | None = None

    def __init__(self, crop_size: int | Sequence[int], ignore_index: int = -100, one_category_max_ratio: float = 0.75):
        self.crop_size = check_size(self, "crop_size", crop_size)
        check_number(self, "ignore_index", ignore_index, whole=True)
        check_number(self, "one_category_max_ratio", one_category_max_ratio, 0, 1)
        self.ignore_index = ignore_index
        self.one_category_max_ratio = one_category_max_ratio

    def __call__(self, sample_meta: Sample) -> Sample:
        arrays = arrays_of(self, sample_meta)
        if not arrays:
            return sample_meta
        window = self.draw(arrays.get("seg_target"), *size_of(arrays))
        if window is not None:
            for key, array in arrays.items():
                sample_meta[key] = array[window]
        return sample_meta

    def draw(self, labels: Any, image_height: int, image_width: int) -> tuple[slice, slice] | None:
        """Choose the window in an image of `image_height` x `image_width`, None where it is the whole of it.

        Args:
            labels: the label map (H, W), or None. Without `focus`, what gives one when indexed with a window will do.
        """
        height, width = min(self.crop_size[0], image_height), min(self.crop_size[1], image_width)
        free_rows, free_columns = image_height - height, image_width - width
        if not free_rows and not free_columns:
            return None
        centre = None if self.focus is None or labels is None else self.focus.draw(labels, self.ignore_index)
        if centre is not None:
            top = min(max(centre[0] - height // 2, 0), free_rows)
            left = min(max(centre[1] - width // 2, 0), free_columns)
            return slice(top, top + height), slice(left, left + width)
        for _ in range(self.TRIES):
            top, left = np.random.randint(free_rows + 1), np.random.randint(free_columns + 1)
            window = slice(top, top + height), slice(left, left + width)
            if labels is None or self.is_mixed(labels[window]):
                break
        return window

    def is_mixed(self, labels: np.ndarray) -> bool:
        """Whether a label map (H, W) holds several labels and none of them dominates."""
        count = int(labels.max()) + 1
        if count < 1:
            return False
        # As uint16, negative labels lie far above `count`, where the histogram does not look.
        unsigned = labels.astype(np.int16, copy=False).view(np.uint16)
        histogram = cv2.calcHist([unsigned], [0], None, [count], [0, count]).ravel()
        if 0 <= self.ignore_index < count:
            histogram[self.ignore_index] = 0
        several = np.count_nonzero(histogram) > 1
        return bool(several and histogram.max() / histogram.sum() < self.one_category_max_ratio)
