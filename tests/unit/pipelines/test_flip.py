import numpy as np
import pytest

from ssseg.modules.datasets.pipelines.flip import RandomFlip
from ssseg.modules.utils.errors import ConfigError


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_all_arrays_are_mirrored(sample, channels):
    before = sample(channels=channels)
    after = RandomFlip(1)(dict(before))
    for key in ("image", "seg_target", "edge_target", "img2aug_pos_mapper"):
        np.testing.assert_array_equal(after[key], before[key][:, ::-1])
        assert after[key].flags.c_contiguous
        assert after[key].dtype == before[key].dtype


def test_probability_zero_changes_nothing(sample):
    before = sample()
    assert all(RandomFlip(0)(dict(before))[key] is before[key] for key in before)


def test_pairs_change_places():
    labels = np.array([[1, 2, 3, -100, 4]], np.int16)
    after = RandomFlip(1, [(1, 2), (3, 5)])({"seg_target": labels})["seg_target"]
    np.testing.assert_array_equal(after, [[4, -100, 5, 1, 2]])
    np.testing.assert_array_equal(labels, [[1, 2, 3, -100, 4]])


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"prob": 1.5}, r"RandomFlip: prob=1.5 must be a number in \[0, 1\]"),
        ({"prob": 1, "fixed_seg_target_pairs": [(1, 2, 3)]}, "must be a sequence of pairs of labels"),
        ({"prob": 1, "fixed_seg_target_pairs": (1, 2)}, "must be a sequence of pairs of labels"),
        ({"prob": 1, "fixed_seg_target_pairs": 3}, "must be a sequence of pairs of labels"),
        ({"prob": 1, "fixed_seg_target_pairs": [(1, 2), (2, 3)]}, "must be pairs that have no label in common"),
    ],
)
def test_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        RandomFlip(**cfg)
