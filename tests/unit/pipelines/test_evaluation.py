import tracemalloc

import numpy as np
import pytest
import torch

from ssseg.modules.datasets.pipelines import ConfusionMatrix, Evaluation, paircounts
from ssseg.modules.utils.errors import ConfigError, LabelError, ShapeError


def test_rows_are_labels_and_columns_predictions():
    matrix = ConfusionMatrix(2, ignore_index=-1)
    matrix.update(np.array([[0, 1, 1, 5]]), np.array([[0, 0, 1, 1]]))
    assert matrix.counts.tolist() == [[1, 1, 0], [0, 1, 1]]
    assert matrix.counts.dtype == np.int64


@pytest.mark.parametrize("ignore_index", [-1, -100, 255])
def test_labels_outside_the_classes_do_not_count(ignore_index):
    matrix = ConfusionMatrix(2, ignore_index)
    matrix.update(np.zeros(6, np.int16), np.array([0, -1, -100, 2, 255, 1], np.int16))
    assert matrix.counts.tolist() == [[1, 0, 0], [1, 0, 0]]


def test_a_class_can_be_ignored():
    matrix = ConfusionMatrix(3, ignore_index=1)
    matrix.update([0, 1, 2, 1], [0, 1, 1, 2])
    assert matrix.counts.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "int64", "float32"])
def test_any_dtype_that_holds_labels(dtype):
    matrix = ConfusionMatrix(300, ignore_index=-1)
    labels = np.array([[0, 3], [100, 0]], dtype)
    matrix.update(labels, labels)
    assert [matrix.counts[0, 0], matrix.counts[3, 3], matrix.counts[100, 100], matrix.counts.sum()] == [2, 1, 1, 4]


def test_tensors_count_like_arrays():
    matrix = ConfusionMatrix(2, ignore_index=-1)
    matrix.update(torch.tensor([0, 1]), torch.tensor([0, -100], dtype=torch.int16))
    assert matrix.counts.tolist() == [[1, 0, 0], [0, 0, 0]]


def test_blocks_add_up(monkeypatch):
    prediction, target = np.random.randint(-2, 7, (2, 50, 60))
    whole = ConfusionMatrix(5, -1)
    whole.update(prediction, target)
    monkeypatch.setattr(paircounts, "BLOCK", 7)
    parts = ConfusionMatrix(5, -1)
    parts.update(prediction, target)
    np.testing.assert_array_equal(whole.counts, parts.counts)
    for row in range(5):
        for column in range(5):
            assert whole.counts[row, column] == ((target == row) & (prediction == column)).sum()


def test_memory_does_not_grow_with_the_image():
    matrix = ConfusionMatrix(150, -1)
    labels = np.zeros((2000, 2000), np.uint8)
    matrix.update(labels[:1], labels[:1])
    tracemalloc.start()
    matrix.update(labels, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6  # as int64, the label map alone would take 32 MB


def test_counts_of_processes_are_added():
    first, second = ConfusionMatrix(2), ConfusionMatrix(2)
    first.update([0], [1])
    second.update([1], [1])
    first.add(second.counts)
    assert first.counts.tolist() == [[0, 0, 0], [1, 1, 0]]
    with pytest.raises(ShapeError, match=r"counts of shape \(3, 4\) cannot be added to those of shape \(2, 3\)"):
        first.add(ConfusionMatrix(3).counts)


def test_shapes_must_agree():
    with pytest.raises(ShapeError, match=r"prediction has shape \(2, 3\), but its target \(3, 2\)"):
        ConfusionMatrix(2).update(np.zeros((2, 3), int), np.zeros((3, 2), int))
    with pytest.raises(ShapeError, match="2 predictions but 1 targets"):
        Evaluation([[0], [1]], [[0]], num_classes=2)


@pytest.mark.parametrize("values", [[0.5], [float("nan")], ["cat"]])
def test_fractions_are_no_labels(values):
    with pytest.raises(LabelError, match=r"the prediction is .* labels are whole numbers"):
        ConfusionMatrix(2).update(values, [0])
    with pytest.raises(LabelError, match=r"the target is .* labels are whole numbers"):
        ConfusionMatrix(2).update([0], values)


@pytest.mark.parametrize(("cfg", "name"), [((0,), "num_classes=0"), ((2, None), "ignore_index=None")])
def test_refuses(cfg, name):
    with pytest.raises(ConfigError, match=f"ConfusionMatrix: {name} must be a whole number"):
        ConfusionMatrix(*cfg)
