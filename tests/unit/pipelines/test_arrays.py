import cv2
import numpy as np
import pytest
import torch

from ssseg.modules.datasets.pipelines.arrays import arrays_of, by_channels, check_fill, image_of, planes_of, size_of
from ssseg.modules.utils.errors import ConfigError, ShapeError


class Transform:
    """Only its name matters."""


OWNER = Transform()


def test_arrays_of_a_sample():
    meta = {"image": np.zeros((2, 3, 1)), "seg_target": np.zeros((2, 3)), "width": 3, "id": "a"}
    arrays = arrays_of(OWNER, meta)
    assert list(arrays) == ["image", "seg_target"]
    assert size_of(arrays) == (2, 3)


def test_tensor_is_refused():
    with pytest.raises(ConfigError, match=r"Transform: image is a Tensor.*before ToTensor"):
        arrays_of(OWNER, {"image": torch.zeros(3, 2, 2)})


@pytest.mark.parametrize(
    ("key", "shape"), [("image", (2, 3)), ("image", (0, 3, 3)), ("seg_target", (2, 3, 3)), ("edge_target", (0, 2))]
)
def test_shape_is_refused(key, shape):
    with pytest.raises(ShapeError, match=rf"Transform: {key} has shape .* not \(height, width"):
        arrays_of(OWNER, {key: np.zeros(shape)})


def test_sizes_that_differ_are_refused():
    meta = {"image": np.zeros((2, 3, 3)), "seg_target": np.zeros((2, 4))}
    with pytest.raises(ShapeError, match=r"Transform: .*image 2 x 3, seg_target 2 x 4"):
        arrays_of(OWNER, meta)


def test_image_of_a_sample():
    image = np.zeros((2, 3, 3), np.uint8)
    assert image_of(OWNER, {"image": image}, dtypes=["uint8"], channels=3) is image
    assert image_of(OWNER, {"seg_target": np.zeros((2, 3))}) is None


def test_image_of_another_kind_is_refused():
    with pytest.raises(ConfigError, match=r"Transform: image is float64 but this step reads uint8.*before Normalize"):
        image_of(OWNER, {"image": np.zeros((2, 3, 3))}, dtypes=["uint8"])
    with pytest.raises(ShapeError, match="Transform: image has 4 channels but this step reads 3"):
        image_of(OWNER, {"image": np.zeros((2, 3, 4))}, channels=3)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8, 13])
def test_opencv_takes_any_number_of_channels(channels):
    image = np.random.randint(0, 256, (6, 7, channels)).astype(np.uint8)
    flipped = by_channels(lambda part: cv2.flip(part, 1), image)
    np.testing.assert_array_equal(flipped, image[:, ::-1])
    np.testing.assert_array_equal(np.stack(planes_of(image), axis=2), image)


@pytest.mark.parametrize("dtype", "bool int8 uint8 int16 uint16 int32 uint32 int64 float16 float32 float64".split())
def test_opencv_takes_any_dtype(dtype):
    labels = np.random.randint(0, 2 if dtype == "bool" else 100, (4, 5)).astype(dtype)
    doubled = by_channels(lambda part: cv2.resize(part, (10, 8), interpolation=cv2.INTER_NEAREST), labels)
    assert doubled.dtype == dtype
    np.testing.assert_array_equal(doubled, labels.repeat(2, axis=0).repeat(2, axis=1))


def test_large_integers_stay_exact():
    indices = np.array([[2**24 + 1, 2**40 + 3]])
    np.testing.assert_array_equal(by_channels(lambda part: cv2.resize(part, (2, 1)), indices), indices)


def test_fill_value_must_fit_the_dtype():
    check_fill(OWNER, "seg_target", np.iinfo(np.int16), -100)
    with pytest.raises(ConfigError, match="Transform: seg_target is uint8, which cannot hold the fill value -100"):
        check_fill(OWNER, "seg_target", np.iinfo(np.uint8), -100)
