"""How well label maps agree, counted without keeping any of them."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...utils.errors import LabelError, ShapeError
from .checks import check_number
from .metrics import format_metrics, metrics_of, metrics_table
from .paircounts import PairCounter

__all__ = ["ConfusionMatrix", "Evaluation", "format_metrics", "metrics_table"]


class ConfusionMatrix:
    """Counts how often each label is predicted as each class; memory does not grow with the number of images.

    Args:
        num_classes: K, classes are 0 .. K - 1.
        ignore_index: label of pixels that are not counted. Labels outside the classes are not counted either.

    Attributes:
        counts: (K, K + 1) int64. Rows are labels, columns predictions; the last column holds predictions outside the
            classes.
    """

    def __init__(self, num_classes: int, ignore_index: int = -1):
        check_number(self, "num_classes", num_classes, 1, whole=True)
        check_number(self, "ignore_index", ignore_index, whole=True)
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self._pairs = PairCounter(num_classes)
        self.counts = self._pairs.counts[:num_classes]

    def update(self, prediction: Any, target: Any) -> None:
        """Count the pixels of two label maps of the same shape.

        Raises:
            ShapeError: their shapes differ.
            LabelError: one of them holds fractions.
        """
        prediction, target = _label_map("prediction", prediction), _label_map("target", target)
        if prediction.shape != target.shape:
            raise ShapeError(f"the prediction has shape {prediction.shape}, but its target {target.shape}")
        self._pairs.add(target.reshape(-1), prediction.reshape(-1), self.ignore_index)

    def add(self, counts: np.ndarray) -> None:
        """Add counts of the same classes, such as those of another process."""
        counts = np.asarray(counts)
        if counts.shape != self.counts.shape:
            raise ShapeError(f"counts of shape {counts.shape} cannot be added to those of shape {self.counts.shape}")
        self.counts += counts

    def metrics(self, nan_to_num: float | None = None, beta: float = 1.0) -> dict[str, Any]:
        """Return the metrics, see `metrics_of`."""
        return metrics_of(self.counts, nan_to_num=nan_to_num, beta=beta)


class Evaluation:
    """Compares predicted label maps with their targets.

    Args:
        seg_preds, seg_targets: label maps, in pairs of one shape.
        num_classes: K, classes are 0 .. K - 1.
        ignore_index: label of pixels that do not count.
        nan_to_num: replaces the metrics of classes for which they are not defined.
        beta: weight of recall against precision in the F-score.

    Attributes:
        all_metric_results: the metrics, see `metrics_of`.

    Raises:
        ShapeError: there are more label maps of one kind than of the other, or two of a pair differ in shape.
        LabelError: a label map holds fractions.
    """

    def __init__(
        self,
        seg_preds: Iterable[Any],
        seg_targets: Iterable[Any],
        num_classes: int,
        ignore_index: int = -1,
        nan_to_num: float | None = None,
        beta: float = 1.0,
    ):
        matrix = ConfusionMatrix(num_classes, ignore_index)
        predictions, targets = list(seg_preds), list(seg_targets)
        if len(predictions) != len(targets):
            raise ShapeError(f"there are {len(predictions)} predictions but {len(targets)} targets")
        for prediction, target in zip(predictions, targets, strict=True):
            matrix.update(prediction, target)
        self.all_metric_results = matrix.metrics(nan_to_num=nan_to_num, beta=beta)


def _label_map(name: str, values: Any) -> np.ndarray:
    array: np.ndarray = np.asarray(values)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind in "biu":
        return array
    if array.dtype.kind != "f" or not np.array_equal(array, np.rint(array)):
        raise LabelError(f"the {name} is {array.dtype} and holds values that are no labels; labels are whole numbers")
    return array
