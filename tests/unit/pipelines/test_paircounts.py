import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssseg.modules.datasets.pipelines import ConfusionMatrix
from ssseg.modules.datasets.pipelines.paircounts import BLOCK, FEW_RUNS


def plain(prediction, target, num_classes, ignore_index):
    """Count one pixel after the other, in one number a pair."""
    prediction, target = prediction.astype(np.int64).ravel(), target.astype(np.int64).ravel()
    counted = (target >= 0) & (target < num_classes) & (target != ignore_index)
    prediction = np.where((prediction < 0) | (prediction >= num_classes), num_classes, prediction)
    codes = target[counted] * (num_classes + 1) + prediction[counted]
    return np.bincount(codes, minlength=num_classes * (num_classes + 1)).reshape(num_classes, -1)


def counts(prediction, target, num_classes, ignore_index):
    matrix = ConfusionMatrix(num_classes, ignore_index)
    matrix.update(prediction, target)
    return matrix.counts


def regions(shape, length, high, dtype):
    """Label maps of runs of about `length` pixels."""
    pixels = int(np.prod(shape))
    values = np.random.randint(-2, high, pixels // length + 1)
    return np.repeat(values, length)[:pixels].reshape(shape).astype(dtype)


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 400), st.integers(1, 400)),
    lengths=st.tuples(st.sampled_from([1, 3, 50, 1000]), st.sampled_from([1, 40, 100000])),
    num_classes=st.sampled_from([1, 2, 19, 150, 255, 256, 300]),
    ignore_index=st.sampled_from([-100, -1, 0, 1, 255]),
    dtypes=st.tuples(*[st.sampled_from(["int16", "uint8", "int32", "int64", "uint16", "float32", "int8", ">i2"])] * 2),
)
def test_counts_are_those_of_single_pixels(seed, shape, lengths, num_classes, ignore_index, dtypes):
    np.random.seed(seed)
    prediction, target = (
        regions(shape, length, num_classes + 2, "int64").astype(dtype)
        for length, dtype in zip(lengths, dtypes, strict=True)
    )
    expected = plain(prediction, target, num_classes, ignore_index)
    np.testing.assert_array_equal(counts(prediction, target, num_classes, ignore_index), expected)


@pytest.mark.parametrize("length", [1, int(1 / FEW_RUNS) - 1, int(1 / FEW_RUNS) + 1, 3 * BLOCK])
def test_noise_and_long_runs_count_alike(length):
    np.random.seed(0)
    shape = (1, 2 * BLOCK + 7)  # the last block has a few pixels only
    prediction, target = regions(shape, length, 21, "int16"), regions(shape, length, 21, "int16")
    np.testing.assert_array_equal(counts(prediction, target, 19, 255), plain(prediction, target, 19, 255))


def test_the_label_maps_stay_as_they_are():
    target = np.array([0, 5, 1], np.uint16)
    counts(target, target, 2, 1)
    assert target.tolist() == [0, 5, 1]
