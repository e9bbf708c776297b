from collections.abc import Sequence

import cv2
import numpy as np

from .arrays import OPENCV_DTYPES, Sample, arrays_of, by_channels
from .checks import check_number, is_pair, refuse


class RandomFlip:
    """Mirrors a sample left to right with probability `prob`.

    Reads and writes `image`, `seg_target`, `edge_target` and `img2aug_pos_mapper`, where present.

    Args:
        prob: in [0, 1].
        fixed_seg_target_pairs: pairs of labels that change places in a mirrored label map, such as left and right arm.

    Raises:
        ConfigError: `prob` is outside [0, 1], or a label stands in two pairs.
    """

    def __init__(self, prob: float, fixed_seg_target_pairs: Sequence[Sequence[int]] | None = None):
        check_number(self, "prob", prob, 0, 1)
        pairs = fixed_seg_target_pairs or ()
        if not (isinstance(pairs, Sequence) and all(is_pair(pair, whole=True) for pair in pairs)):
            refuse(self, "fixed_seg_target_pairs", pairs, "a sequence of pairs of labels")
        labels = [label for pair in pairs for label in pair]
        if len(set(labels)) < len(labels):
            refuse(self, "fixed_seg_target_pairs", pairs, "pairs that have no label in common")
        self.prob = prob
        self.fixed_seg_target_pairs = [tuple(pair) for pair in pairs]

    def __call__(self, sample_meta: Sample) -> Sample:
        if not self.draw():
            return sample_meta
        for key, array in arrays_of(self, sample_meta).items():
            sample_meta[key] = mirrored(array)
        if "seg_target" in sample_meta:
            sample_meta["seg_target"] = self.swapped(sample_meta["seg_target"])
        return sample_meta

    def draw(self) -> bool:
        """Draw whether the next sample is mirrored."""
        return bool(np.random.rand() <= self.prob)

    def swapped(self, labels: np.ndarray) -> np.ndarray:
        """Return a label map (H, W) in which the labels of every pair have changed places."""
        swapped = labels.copy() if self.fixed_seg_target_pairs else labels
        for left, right in self.fixed_seg_target_pairs:
            swapped[labels == left] = right
            swapped[labels == right] = left
        return swapped


def mirrored(array: np.ndarray) -> np.ndarray:
    """Return an array (H, W) or (H, W, C) of any dtype, left and right exchanged."""
    if array.dtype.name in OPENCV_DTYPES:
        return by_channels(lambda part: cv2.flip(part, 1), array)
    return array[:, ::-1].copy()
