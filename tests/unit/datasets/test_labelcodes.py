import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssseg.modules.datasets.labelcodes import ByteLabels, PlainLabels, RunLengthLabels, whole
from ssseg.modules.datasets.labelstore import LabelStore

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))


def labels_of(seed, size, runs):
    random = np.random.RandomState(seed)
    labels = random.choice([-100, 0, 1, 254], size).astype(np.int16)
    return np.sort(labels, axis=1) if runs else labels


@given(seed=st.integers(0, 1000), size=SIZES, runs=st.booleans(), data=st.data())
def test_any_window_of_a_code_is_that_of_the_labels(seed, size, runs, data):
    labels = labels_of(seed, size, runs)
    bounds = [sorted(data.draw(st.tuples(st.integers(0, edge), st.integers(0, edge)))) for edge in size]
    window = tuple(slice(*pair) for pair in bounds)
    for codes in (PlainLabels(labels), RunLengthLabels.of(labels), ByteLabels.of(labels, -100)):
        assert codes.shape == size
        part = codes.decode(codes[window])
        assert part.dtype == np.int16
        np.testing.assert_array_equal(part, labels[window])
        np.testing.assert_array_equal(whole(codes), labels)


def test_runs_take_little_room():
    labels = np.zeros((512, 683), np.int16)
    labels[100:400, 200:500] = 7
    coded = RunLengthLabels.of(labels)
    assert len(coded.starts) == 601
    assert coded.nbytes == 601 * 6


@pytest.mark.parametrize(("num_classes", "fits"), [(2, True), (255, True), (256, False)])
def test_a_byte_holds_255_classes_and_the_ignored_label(num_classes, fits):
    assert ByteLabels.fits(num_classes) == fits


def test_a_store_gives_each_file_its_labels():
    maps = {f"{number}.png": labels_of(number, (3 + number, 9), True) for number in range(4)}
    store = LabelStore.of((path, RunLengthLabels.of(labels)) for path, labels in maps.items())
    for path, labels in maps.items():
        np.testing.assert_array_equal(whole(store.get(path)), labels)
    assert store.get("other.png") is None
    assert store.nbytes == sum(RunLengthLabels.of(labels).nbytes for labels in maps.values())
    assert LabelStore.of([]).get("a.png") is None
