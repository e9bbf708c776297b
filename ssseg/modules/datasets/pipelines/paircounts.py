"""Counting the pairs (label, prediction) of two label maps: the inner loop of every evaluation."""

import numpy as np

BLOCK = 2**16  # pixels counted at once; they stay in the processor's cache
FEW_RUNS = 0.1  # runs a pixel below which counting runs is quicker than counting pixels


class PairCounter:
    """Counts how often each pair of classes meets.

    A pair is one number, its code. Label maps are made of regions, so neighbours mostly have the same code, and a run
    of them is counted at once; of noise, every pixel is counted.

    Args:
        num_classes: K. What is no class counts as class K.

    Attributes:
        counts: (K + 1, K + 1) int64. Rows are labels, columns predictions.
    """

    def __init__(self, num_classes: int):
        self.num_classes = num_classes
        self.counts = np.zeros((num_classes + 1, num_classes + 1), dtype=np.int64)
        self.codes = np.dtype(np.uint16 if self.counts.size <= 2**16 else np.uint32)
        # of the block's size, because the minimum of two arrays takes a fifth of the time of that with a number
        self.limit = np.full(BLOCK, num_classes, self.codes)

    def add(self, labels: np.ndarray, predictions: np.ndarray, ignore_index: int) -> None:
        """Count the pairs of two arrays (n,) of whole numbers; the label `ignore_index` is no class."""
        step = len(self.limit)
        for first in range(0, len(labels), step):
            codes = self._classes(labels[first : first + step])
            if 0 <= ignore_index < self.num_classes:
                codes[codes == ignore_index] = self.num_classes
            codes *= self.codes.type(self.num_classes + 1)
            codes += self._classes(predictions[first : first + step])
            self._count(codes)

    def _classes(self, values: np.ndarray) -> np.ndarray:
        """Return a copy of `values` as codes; what is no class becomes K."""
        if values.dtype.kind == "b":
            values = values.view(np.uint8)
        elif values.dtype.kind != "u":
            if values.dtype.kind == "f" or self.num_classes > np.iinfo(values.dtype).max:
                values = values.astype(np.int64)
            values = values.view(f"u{values.dtype.itemsize}")  # negative numbers become large ones
        if values.dtype.itemsize <= self.codes.itemsize:
            return np.minimum(values, self.limit[: len(values)])
        return np.minimum(values, values.dtype.type(self.num_classes)).astype(self.codes)

    def _count(self, codes: np.ndarray) -> None:
        table = self.counts.reshape(-1)
        changes = codes[1:] != codes[:-1]
        number = np.count_nonzero(changes)
        if number > FEW_RUNS * len(codes):
            if len(codes) < len(table):  # many classes: going through the whole table would take longer
                np.add.at(table, codes, 1)
            else:
                table += np.bincount(codes, minlength=len(table))
            return
        borders = np.zeros(number + 2, np.intp)
        borders[1:-1] = np.flatnonzero(changes)
        borders[1:-1] += 1
        borders[-1] = len(codes)
        np.add.at(table, codes[borders[:-1]], np.diff(borders))
