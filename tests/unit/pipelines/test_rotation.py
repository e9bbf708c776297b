import numpy as np
import pytest

from ssseg.modules.datasets.pipelines.rotation import RandomRotation
from ssseg.modules.utils.errors import ConfigError


def quarter_turn(monkeypatch, meta, **cfg):
    rotate = RandomRotation(1, angle_upper=91, **cfg)
    monkeypatch.setattr(np.random, "randint", lambda low, high: 90)
    return rotate(dict(meta))


def test_all_arrays_are_rotated(monkeypatch, sample):
    before = sample(8, 8, channels=5)
    after = quarter_turn(monkeypatch, before, image_interpolation="nearest")
    for key in ("image", "seg_target", "edge_target", "img2aug_pos_mapper"):
        # The centre (4, 4) is a pixel, half a pixel off the middle of the image: one row comes in from outside.
        np.testing.assert_array_equal(after[key][1:], np.rot90(before[key])[:-1])
        assert after[key].dtype == before[key].dtype
    assert set(after["seg_target"][0]) == {-100} == set(after["edge_target"][0])
    assert set(after["img2aug_pos_mapper"][0]) == {-1}


@pytest.mark.parametrize("channels", [1, 3, 7])
def test_fill_value_fills_all_channels(monkeypatch, channels):
    meta = {"image": np.full((4, 20, channels), 9, np.uint8)}
    corner = quarter_turn(monkeypatch, meta, image_fill_value=114)["image"][0, 0]
    assert corner.tolist() == [114] * channels


@pytest.mark.parametrize("dtype", "bool int8 uint8 int16 uint16 int32 int64 float16 float32 float64".split())
def test_maps_of_all_dtypes_are_rotated_alike(monkeypatch, dtype):
    monkeypatch.setattr(np.random, "randint", lambda low, high: 30)  # many coordinates lie halfway between two pixels
    labels = np.arange(600).reshape(20, 30) % 2
    rotate = RandomRotation(1, angle_upper=31, seg_target_fill_value=0)
    as_float32 = rotate({"seg_target": labels.astype(np.float32)})["seg_target"]
    rotated = rotate({"seg_target": labels.astype(dtype)})["seg_target"]
    assert rotated.dtype == dtype
    np.testing.assert_array_equal(rotated, as_float32)


def test_angle_zero_and_probability_zero_change_nothing(sample):
    for rotate in (RandomRotation(1, angle_upper=0), RandomRotation(0)):
        before = sample()
        assert all(rotate(dict(before))[key] is before[key] for key in before)


def test_fill_value_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match=r"RandomRotation: seg_target is uint8.*fill value -100"):
        RandomRotation(1)({"seg_target": np.zeros((4, 4), np.uint8)})


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"prob": -1}, r"RandomRotation: prob=-1 must be a number in \[0, 1\]"),
        ({"angle_upper": 2.5}, "angle_upper=2.5 must be a whole number of at least 0"),
        ({"image_interpolation": "bicubc"}, "image_interpolation='bicubc'.*Did you mean 'bicubic'"),
        ({"seg_target_fill_value": "ignore"}, "seg_target_fill_value='ignore' must be a number"),
    ],
)
def test_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        RandomRotation(**cfg)
