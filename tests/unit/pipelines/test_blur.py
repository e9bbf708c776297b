import numpy as np
import pytest

from ssseg.modules.datasets.pipelines.blur import PILRandomGaussianBlur, RandomGaussianBlur
from ssseg.modules.utils.errors import ConfigError


@pytest.mark.parametrize("blur", [RandomGaussianBlur(1, 2.0, 5), PILRandomGaussianBlur(1, 2.0)])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_blur_smooths_each_channel(sample, blur, channels):
    image = sample(channels=channels)["image"]
    after = blur({"image": image})["image"]
    assert after.shape == image.shape
    assert after.dtype == np.uint8
    assert after.flags.c_contiguous
    assert after.std() < 0.7 * image.std()
    for channel in range(channels):
        alone = blur({"image": image[:, :, channel : channel + 1].copy()})["image"]
        np.testing.assert_array_equal(after[:, :, channel : channel + 1], alone)


def test_two_blurs_are_about_the_same(sample):
    meta = sample(40, 40)
    ours, pillows = RandomGaussianBlur(1, 2.0, 13)(dict(meta)), PILRandomGaussianBlur(1, 2.0)(dict(meta))
    gap = ours["image"].astype(int) - pillows["image"]
    assert np.abs(gap[8:-8, 8:-8]).mean() < 2


@pytest.mark.parametrize("blur", [RandomGaussianBlur(0), PILRandomGaussianBlur(0)])
def test_probability_zero_changes_nothing(sample, blur):
    before = sample()
    assert blur(dict(before))["image"] is before["image"]
    assert blur({"id": "a"}) == {"id": "a"}


@pytest.mark.parametrize(
    ("blur", "cfg", "message"),
    [
        (RandomGaussianBlur, {"prob": 2}, "RandomGaussianBlur: prob=2 must be"),
        (RandomGaussianBlur, {"sigma": (1, 0)}, "RandomGaussianBlur: sigma=.* must be two ascending numbers"),
        (RandomGaussianBlur, {"sigma": -1}, "RandomGaussianBlur: sigma=.* must be two ascending numbers"),
        (RandomGaussianBlur, {"kernel_size": (3, 4)}, r"RandomGaussianBlur: kernel_size=\(3, 4\) must be odd"),
        (PILRandomGaussianBlur, {"prob": None}, "PILRandomGaussianBlur: prob=None must be"),
        (PILRandomGaussianBlur, {"radius": "1"}, "PILRandomGaussianBlur: radius='1' must be"),
    ],
)
def test_refuses(blur, cfg, message):
    with pytest.raises(ConfigError, match=message):
        blur(**cfg)


def test_pillow_needs_uint8():
    with pytest.raises(ConfigError, match="PILRandomGaussianBlur: image is float32 but this step reads uint8"):
        PILRandomGaussianBlur(1)({"image": np.zeros((2, 2, 3), np.float32)})
