import numpy as np
import pytest
import torch

from ssseg.modules.datasets.pipelines.totensor import ToTensor
from ssseg.modules.utils.errors import ConfigError


def test_image_becomes_channels_first(sample):
    before = sample(channels=5)
    after = ToTensor()(dict(before))["image"]
    assert after.dtype == torch.float32
    assert after.is_contiguous()
    np.testing.assert_array_equal(after.numpy(), before["image"].transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("int16", torch.int16),
        ("float32", torch.float32),
        ("float64", torch.float32),
        ("float16", torch.float32),
        ("uint8", torch.int16),
        ("bool", torch.int16),
        ("uint16", torch.int32),
        ("int32", torch.int32),
        ("int64", torch.int64),
    ],
)
@pytest.mark.parametrize("key", ["seg_target", "edge_target", "img2aug_pos_mapper"])
def test_dtype_of_maps(given, expected, key):
    tensor = ToTensor()({key: np.array([[0, 1]], dtype=given)})[key]
    assert tensor.dtype == expected
    assert tensor.tolist() == [[0, 1]]


def test_views_and_read_only_arrays():
    labels = np.arange(6, dtype=np.int16).reshape(2, 3)
    labels.setflags(write=False)
    assert ToTensor()({"seg_target": labels})["seg_target"].tolist() == labels.tolist()
    assert ToTensor()({"seg_target": labels[:, ::-1]})["seg_target"].tolist() == labels[:, ::-1].tolist()


def test_mirrored_columns():
    labels = np.arange(3, dtype=np.int16).reshape(3, 1)[:, ::-1]
    image = np.zeros((3, 1, 3), np.float32).transpose(1, 0, 2)[::-1]
    assert ToTensor()({"seg_target": labels})["seg_target"].tolist() == [[0], [1], [2]]
    assert ToTensor()({"image": image})["image"].shape == (3, 1, 3)


def test_a_second_time_is_refused(sample):
    with pytest.raises(ConfigError, match="ToTensor: image is a Tensor"):
        ToTensor()(ToTensor()(sample()))
