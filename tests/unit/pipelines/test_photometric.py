import cv2
import numpy as np
import pytest

from ssseg.modules.datasets.pipelines.photometric import Distortion, PhotoMetricDistortion, distorted
from ssseg.modules.utils.errors import ConfigError

IMAGE = np.random.RandomState(0).randint(0, 256, (20, 30, 3)).astype(np.uint8)


def stepwise(image, brightness, contrast, contrast_first, saturation, hue):
    """The same changes, one after the other, each in float32 and truncated to uint8."""

    def change(values, factor=1.0, shift=0.0):
        return np.clip(values.astype(np.float32) * factor + shift, 0, 255).astype(np.uint8)

    def in_hsv(image, channel, function):
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        hsv[:, :, channel] = function(hsv[:, :, channel])
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)

    if brightness is not None:
        image = change(image, shift=brightness)
    if contrast is not None and contrast_first:
        image = change(image, factor=contrast)
    if saturation is not None:
        image = in_hsv(image, 1, lambda values: change(values, factor=saturation))
    if hue is not None:
        image = in_hsv(image, 0, lambda values: (values.astype(int) + hue) % 180)
    if contrast is not None and not contrast_first:
        image = change(image, factor=contrast)
    return image


@pytest.mark.parametrize("brightness", [None, -20.3, 31.9])
@pytest.mark.parametrize("contrast", [None, 0.51, 1.37])
@pytest.mark.parametrize("contrast_first", [True, False])
@pytest.mark.parametrize("saturation", [None, 0.6, 1.49])
@pytest.mark.parametrize("hue", [None, -18, 17])
def test_tables_change_as_the_steps_do(brightness, contrast, contrast_first, saturation, hue):
    changes = (brightness, contrast, contrast_first, saturation, hue)
    drawn = Distortion(*changes)
    np.testing.assert_array_equal(distorted(IMAGE, drawn), stepwise(IMAGE, *changes))
    off = np.abs(distorted(IMAGE, drawn, one_round_trip=True).astype(int) - stepwise(IMAGE, *changes))
    both = saturation is not None and hue is not None
    after = contrast if both and contrast is not None and not contrast_first else 1  # what follows enlarges it
    assert off.max() <= (5 * max(after, 1) + 1 if both else 0)
    assert off.mean() <= 0.3 * max(after, 1)


def test_hue_delta_zero_shifts_no_hue():
    distort = PhotoMetricDistortion(brightness_delta=0, contrast_range=(1, 1), saturation_range=(1, 1), hue_delta=0)
    shifts = [np.abs(distort({"image": IMAGE})["image"].astype(int) - IMAGE) for _ in range(20)]
    assert max(shift.max() for shift in shifts) <= 6  # rounding on the way to HSV and back
    assert max(shift.mean() for shift in shifts) < 1


def test_an_image_is_needed(sample):
    assert PhotoMetricDistortion()({"id": "a"}) == {"id": "a"}
    with pytest.raises(ConfigError, match="PhotoMetricDistortion: image is float32 but this step reads uint8"):
        PhotoMetricDistortion()({"image": IMAGE.astype(np.float32)})


@pytest.mark.parametrize("channels", [1, 2, 4, 7])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_of_other_kinds_change_in_brightness_and_contrast_only(dtype, channels):
    levels = np.arange(256, dtype=dtype) * (257 if dtype == np.uint16 else 1)
    image = np.repeat(levels.reshape(16, 16, 1), channels, axis=2)
    seen = set()
    for seed in range(12):
        np.random.seed(seed)
        after = PhotoMetricDistortion()({"image": image})["image"]
        assert after.dtype == dtype
        assert after.shape == image.shape
        assert (np.diff(after[..., 0].ravel().astype(int)) >= 0).all()  # a monotonous table
        assert (after == after[..., :1]).all()
        seen.add(after.tobytes())
    assert len(seen) > 4


def test_16_bits_change_as_8_do():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    for seed in range(8):
        np.random.seed(seed)
        shallow = PhotoMetricDistortion()({"image": image})["image"]
        np.random.seed(seed)
        deep = PhotoMetricDistortion()({"image": image.astype(np.uint16) * 257})["image"]
        assert np.abs(deep / 257 - shallow).max() < 2.6  # fractions of a level are cut off twice, then multiplied


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"brightness_delta": -1}, "PhotoMetricDistortion: brightness_delta=-1 must be"),
        ({"contrast_range": (1.5, 0.5)}, "contrast_range=.* must be two ascending numbers of at least 0"),
        ({"saturation_range": 1.0}, "saturation_range=1.0 must be two ascending numbers"),
        ({"hue_delta": 1.5}, "hue_delta=1.5 must be a whole number of at least 0"),
    ],
)
def test_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        PhotoMetricDistortion(**cfg)
