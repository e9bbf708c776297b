import cv2
import numpy as np

from .arrays import Sample, arrays_of
from .checks import check_number


class EdgeExtractor:
    """Adds `edge_target` (H, W) int16: 1 near the borders between two labels of `seg_target`, 0 elsewhere.

    Neighbours are compared in eight directions; a border with ignored pixels is none.

    Args:
        edge_width: edge of the square, in pixels, by which borders are widened.
        ignore_index: label that is ignored.

    Raises:
        ConfigError: an argument is out of range.
    """

    def __init__(self, edge_width: int = 3, ignore_index: int = -100):
        check_number(self, "edge_width", edge_width, 1, whole=True)
        check_number(self, "ignore_index", ignore_index, whole=True)
        self.edge_width, self.ignore_index = edge_width, ignore_index

    def __call__(self, sample_meta: Sample) -> Sample:
        labels = arrays_of(self, sample_meta, ["seg_target"]).get("seg_target")
        if labels is None:
            return sample_meta
        valid = labels != self.ignore_index
        edges = np.zeros(labels.shape, dtype=np.uint8)
        upper, lower, left, right = np.s_[:-1], np.s_[1:], np.s_[:, :-1], np.s_[:, 1:]
        # Which of two neighbours is marked is a convention; published models were trained with this one.
        for marked, first, second in (
            (lower, lower, upper),
            (left, left, right),
            (np.s_[:-1, :-1], np.s_[:-1, :-1], np.s_[1:, 1:]),
            (np.s_[:-1, 1:], np.s_[:-1, 1:], np.s_[1:, :-1]),
        ):
            edges[marked] |= (labels[first] != labels[second]) & valid[first] & valid[second]
        square = np.ones((self.edge_width, self.edge_width), dtype=np.uint8)
        sample_meta["edge_target"] = cv2.dilate(edges, square).astype(np.int16)
        return sample_meta
