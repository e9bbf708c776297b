import numpy as np
import pytest

from ssseg.modules.datasets.pipelines.colour import CLAHE, AdjustGamma, Rerange, RGB2Gray
from ssseg.modules.utils.errors import ConfigError, ImageError, ShapeError


def test_gamma_keeps_order_and_ends():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    after = AdjustGamma(2.2)({"image": levels})["image"]
    assert after.shape == (16, 16, 1)
    assert (after[0, 0, 0], after[-1, -1, 0]) == (0, 255)
    assert (np.diff(after.ravel().astype(int)) >= 0).all()
    assert (after >= levels).all()


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_clahe_treats_channels_alone(sample, channels):
    image = sample(channels=channels)["image"]
    after = CLAHE(2.0)({"image": image})["image"]
    for channel in range(channels):
        alone = CLAHE(2.0)({"image": image[:, :, channel : channel + 1]})["image"]
        np.testing.assert_array_equal(after[:, :, channel : channel + 1], alone)


def test_rerange_reaches_both_ends(sample):
    after = Rerange(-1, 1)(sample())["image"]
    assert (after.min(), after.max()) == (-1, 1)


def test_rerange_refuses_a_constant_image():
    with pytest.raises(ImageError, match="Rerange: all values of the image are 7, so they have no range"):
        Rerange()({"image": np.full((2, 2, 3), 7, np.uint8)})


def test_gray_is_the_weighted_sum():
    image = np.array([[[10, 20, 30]]], np.uint8)
    after = RGB2Gray(weights=(0.5, 0.25, 0.25))({"image": image})["image"]
    np.testing.assert_allclose(after, [[[17.5, 17.5, 17.5]]])
    assert RGB2Gray(out_channels=1)({"image": image})["image"].shape == (1, 1, 1)


def test_gray_needs_a_weight_for_each_channel(sample):
    with pytest.raises(ShapeError, match="RGB2Gray: image has 4 channels but this step reads 3"):
        RGB2Gray()(sample(channels=4))


@pytest.mark.parametrize("transform", [AdjustGamma(2), CLAHE()])
def test_levels_must_be_uint8(transform):
    with pytest.raises(ConfigError, match=f"{type(transform).__name__}: image is float64 but this step reads uint8"):
        transform(RGB2Gray()({"image": np.ones((2, 2, 3), np.uint8)}))


@pytest.mark.parametrize("transform", [AdjustGamma(), CLAHE(), Rerange(), RGB2Gray()])
def test_without_an_image_nothing_happens(transform):
    assert transform({"id": "a"}) == {"id": "a"}


@pytest.mark.parametrize(
    ("transform", "cfg", "message"),
    [
        (AdjustGamma, {"gamma": 0}, "AdjustGamma: gamma=0 must be a number above 0"),
        (CLAHE, {"clip_limit": -1}, "CLAHE: clip_limit=-1 must be a number of at least 0"),
        (CLAHE, {"tile_grid_size": (0, 8)}, "CLAHE: tile_grid_size=.* must be a positive whole number"),
        (Rerange, {"min_value": 1, "max_value": 1}, "Rerange: max_value=1 must be a number above 1"),
        (RGB2Gray, {"out_channels": 0}, "RGB2Gray: out_channels=0 must be a whole number of at least 1"),
        (RGB2Gray, {"weights": ("a",)}, "RGB2Gray: weights=.* must be a sequence of numbers"),
    ],
)
def test_refuses(transform, cfg, message):
    with pytest.raises(ConfigError, match=message):
        transform(**cfg)
