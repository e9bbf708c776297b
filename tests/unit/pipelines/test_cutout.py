import numpy as np
import pytest

from ssseg.modules.datasets.pipelines.cutout import RandomCutOut
from ssseg.modules.utils.errors import ConfigError


def test_all_arrays_get_the_same_hole(sample):
    before = sample()
    after = RandomCutOut(1, (1, 1), cutout_shape=(4, 3), image_fill_value=(7, 8, 9))(dict(before))
    hole = after["img2aug_pos_mapper"] == -1
    assert 0 < hole.sum() <= 12
    assert set(after["seg_target"][hole]) == {-100} == set(after["edge_target"][hole])
    assert (after["image"][hole] == (7, 8, 9)).all()
    for key in ("image", "seg_target", "edge_target", "img2aug_pos_mapper"):
        np.testing.assert_array_equal(after[key][~hole], before[key][~hole])
        assert (before[key] >= 0).all()


def test_number_and_shapes_of_holes():
    cut = RandomCutOut(1, (1, 2), cutout_shape=[(1, 1), (2, 1)], seg_target_fill_value=9)
    labels = np.zeros((100, 100), np.int16)
    areas = {int((cut({"seg_target": labels})["seg_target"] == 9).sum()) for _ in range(80)}
    assert areas == {1, 2, 3, 4}


def test_shares_of_the_image():
    labels = np.zeros((10, 30), np.int16)
    after = RandomCutOut(1, (1, 1), cutout_ratio=(0.5, 1.0), seg_target_fill_value=9)({"seg_target": labels})
    rows, columns = np.nonzero(after["seg_target"])
    assert rows.max() == 9
    assert len(set(columns)) == min(15, 30 - columns.min())


def test_no_holes_copy_nothing(sample):
    before = sample()
    after = RandomCutOut(1, (0, 0), cutout_shape=(4, 3))(dict(before))
    assert after["image"] is before["image"]


def test_one_fill_value_fits_any_number_of_channels(sample):
    assert RandomCutOut(1, (1, 1), cutout_shape=(20, 20))(sample(channels=5))["image"].shape == (12, 16, 5)


def test_fill_values_that_do_not_fit_are_refused(sample):
    cut = RandomCutOut(1, (1, 1), cutout_shape=(4, 3), image_fill_value=(1, 2, 3))
    with pytest.raises(ConfigError, match=r"image_fill_value=\[1, 2, 3\] must be a number or 5 of them"):
        cut(sample(channels=5))
    with pytest.raises(ConfigError, match=r"RandomCutOut: seg_target is uint8.*fill value -100"):
        cut({"seg_target": np.zeros((4, 4), np.uint8)})
    cut = RandomCutOut(1, (1, 1), cutout_shape=(4, 3), image_fill_value=300)
    with pytest.raises(ConfigError, match=r"RandomCutOut: image is uint8, which cannot hold the fill value 300$"):
        cut(sample())


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"prob": 2, "cutout_shape": (1, 1)}, "RandomCutOut: prob=2 must be"),
        ({"n_holes": 2, "cutout_shape": (1, 1)}, "n_holes=2 must be two ascending whole numbers of at least 0"),
        ({}, "cutout_shape=None must be given if and only if cutout_ratio=None is not"),
        ({"cutout_shape": (1, 1), "cutout_ratio": (1, 1)}, "must be given if and only if"),
        ({"cutout_shape": 5}, "cutout_shape=5 must be one or several pairs"),
        ({"cutout_shape": []}, "cutout_shape=.* must be one or several pairs"),
        ({"cutout_shape": [(1, -1)]}, "must be one or several pairs"),
        ({"cutout_ratio": [(0.5, 1.5)]}, r"cutout_ratio=.* numbers in \[0, 1\]"),
        ({"cutout_shape": (1, 1), "image_fill_value": "black"}, "image_fill_value='black' must be"),
        ({"cutout_shape": (1, 1), "seg_target_fill_value": None}, "seg_target_fill_value=None must be a number"),
    ],
)
def test_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        RandomCutOut(**{"prob": 1, "n_holes": (1, 2), **cfg})
