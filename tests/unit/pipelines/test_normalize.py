import numpy as np
import pytest
import torch

from ssseg.modules.datasets.pipelines.normalize import Normalize
from ssseg.modules.datasets.pipelines.totensor import ToTensor
from ssseg.modules.utils.errors import ConfigError, ShapeError

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int32])
@pytest.mark.parametrize("to_rgb", [True, False])
def test_mean_and_deviation(sample, dtype, to_rgb):
    image = sample()["image"].astype(dtype)
    after = Normalize(MEAN, STD, to_rgb=to_rgb)({"image": image})["image"]
    assert after.dtype == np.float32
    channels = image[:, :, ::-1] if to_rgb else image
    np.testing.assert_allclose(after, (channels.astype(np.float64) - MEAN) / STD, atol=1e-5)


def test_16_bits_take_the_same_numbers_as_8(sample):
    image = sample()["image"]
    deep = image.astype(np.uint16) * 257
    expected = Normalize(MEAN, STD)({"image": image})["image"]
    np.testing.assert_allclose(Normalize(MEAN, STD)({"image": deep})["image"], expected, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 5])
def test_other_numbers_of_channels(sample, channels):
    image = sample(channels=channels)["image"]
    after = Normalize([1] * channels, [2] * channels, to_rgb=False)({"image": image})["image"]
    np.testing.assert_allclose(after, (image - 1.0) / 2)


def test_tensor_of_the_result_needs_no_copy(sample):
    image = Normalize(MEAN, STD)(sample())["image"]
    tensor = ToTensor()({"image": image})["image"]
    assert tensor.is_contiguous()
    assert tensor.data_ptr() == image.ctypes.data
    assert tensor.dtype == torch.float32


def test_channels_must_fit(sample):
    assert Normalize(MEAN, STD)({"id": "a"}) == {"id": "a"}
    with pytest.raises(ShapeError, match="Normalize: image has 4 channels but this step reads 3"):
        Normalize(MEAN, STD)(sample(channels=4))


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"mean": 1.0, "std": STD}, "Normalize: mean=1.0 must be a sequence of numbers, one for each channel"),
        ({"mean": MEAN, "std": []}, r"Normalize: std=\[\] must be a sequence of numbers"),
        ({"mean": ["a", 1, 2], "std": STD}, "Normalize: mean='a' must be a number"),
        ({"mean": MEAN, "std": [1, 0, 1]}, "Normalize: std=0 must be a number above 0"),
        ({"mean": MEAN, "std": [1, 1]}, r"Normalize: std=\[1, 1\] must be as long as mean="),
        ({"mean": MEAN, "std": STD, "to_rgb": 1}, "Normalize: to_rgb=1 must be True or False"),
        ({"mean": [1], "std": [1]}, "Normalize: to_rgb=True must be False for images of 1 channels"),
    ],
)
def test_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        Normalize(**cfg)
