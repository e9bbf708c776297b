import numpy as np
import pytest

from ssseg.modules.datasets.pipelines.crop import RandomCrop
from ssseg.modules.utils.errors import ConfigError


def test_all_arrays_show_the_same_window(sample):
    before = sample()
    after = RandomCrop((5, 7))(dict(before))
    row, column = divmod(int(after["img2aug_pos_mapper"][0, 0]), 16)
    for key in ("image", "seg_target", "edge_target", "img2aug_pos_mapper"):
        np.testing.assert_array_equal(after[key], before[key][row : row + 5, column : column + 7])


def test_all_positions_are_drawn(sample):
    corners = {int(RandomCrop((11, 15))(sample())["img2aug_pos_mapper"][0, 0]) for _ in range(50)}
    assert corners == {0, 1, 16, 17}


def test_a_crop_is_never_larger_than_the_image(sample):
    assert RandomCrop((5, 40))(sample())["image"].shape == (5, 16, 3)
    assert RandomCrop(40)(sample())["image"].shape == (12, 16, 3)


def test_without_labels_the_first_window_is_taken(sample):
    assert RandomCrop(5)(sample(keys=["image"]))["image"].shape == (5, 5, 3)
    assert RandomCrop(5)({"id": "a"}) == {"id": "a"}


@pytest.mark.parametrize("label", [-100, 3])
def test_without_a_good_window_the_last_one_is_taken(sample, label):
    meta = sample()
    meta["seg_target"][:] = label
    assert RandomCrop(5)(meta)["image"].shape == (5, 5, 3)


def test_windows_with_several_labels_are_preferred():
    labels = np.zeros((20, 20), np.int16)
    labels[:10, :10] = np.arange(100).reshape(10, 10) % 4
    crop = RandomCrop(8, one_category_max_ratio=0.5)
    shares = [(crop({"seg_target": labels})["seg_target"] == 0).mean() for _ in range(100)]
    assert np.mean(np.array(shares) < 0.5) > 0.8  # of windows drawn once it is a quarter


@pytest.mark.parametrize(
    ("labels", "is_mixed"),
    [
        ([[0, 1], [2, 3]], True),
        ([[0, 0], [0, 1]], False),  # 0 covers 3/4, which is not less than 0.75
        ([[0, 0], [1, 1]], True),
        ([[5, 5], [5, 5]], False),
        ([[-100, 1], [1, 2]], True),
        ([[-100, -100], [-100, 1]], False),
        ([[-100, -100], [-100, -100]], False),
        ([[255, 255], [1, 2]], True),
        ([[255, 255], [255, 2]], False),
    ],
)
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.int64])
def test_is_mixed(labels, is_mixed, dtype):
    labels = np.array(labels, dtype=dtype)
    if labels.max() == 255:
        assert RandomCrop(2, ignore_index=255).is_mixed(labels) == is_mixed
    else:
        assert RandomCrop(2).is_mixed(labels) == is_mixed


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"crop_size": (0, 0)}, r"RandomCrop: crop_size=\(0, 0\) must be a positive whole number or two"),
        ({"crop_size": 8, "one_category_max_ratio": 2}, r"one_category_max_ratio=2 must be a number in \[0, 1\]"),
        ({"crop_size": 8, "ignore_index": "255"}, "ignore_index='255' must be a whole number"),
    ],
)
def test_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        RandomCrop(**cfg)
