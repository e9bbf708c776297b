import cv2
import numpy as np
import pytest

from ssseg.modules.datasets.pipelines.photometric import PhotoMetricDistortion, _distorted
from ssseg.modules.utils.errors import ConfigError, ShapeError

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
    np.testing.assert_array_equal(_distorted(IMAGE, *changes), stepwise(IMAGE, *changes))


def test_hue_delta_zero_shifts_no_hue():
    distort = PhotoMetricDistortion(brightness_delta=0, contrast_range=(1, 1), saturation_range=(1, 1), hue_delta=0)
    shifts = [np.abs(distort({"image": IMAGE})["image"].astype(int) - IMAGE) for _ in range(20)]
    assert max(shift.max() for shift in shifts) <= 6  # rounding on the way to HSV and back
    assert max(shift.mean() for shift in shifts) < 1


def test_an_image_is_needed(sample):
    assert PhotoMetricDistortion()({"id": "a"}) == {"id": "a"}
    with pytest.raises(ConfigError, match="PhotoMetricDistortion: image is float32 but this step reads uint8"):
        PhotoMetricDistortion()({"image": IMAGE.astype(np.float32)})
    with pytest.raises(ShapeError, match="PhotoMetricDistortion: image has 4 channels but this step reads 3"):
        PhotoMetricDistortion()(sample(channels=4))


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
