import numpy as np
import pytest
import torch

from ssseg.modules.datasets.pipelines.padding import Padding
from ssseg.modules.datasets.pipelines.totensor import ToTensor
from ssseg.modules.utils.errors import ConfigError, ShapeError

FILLS = {"image": 0, "seg_target": -100, "edge_target": -100, "img2aug_pos_mapper": -1}


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_sample_lies_in_the_centre(sample, channels):
    before = sample(channels=channels)
    after = Padding((15, 20))(dict(before))
    for key, fill in FILLS.items():
        assert after[key].dtype == before[key].dtype
        np.testing.assert_array_equal(after[key][1:13, 2:18], before[key])
        outside = np.ones((15, 20), bool)
        outside[1:13, 2:18] = False
        assert (after[key][outside] == fill).all()


def test_tensors_are_padded_as_arrays_are(sample):
    meta = sample()
    arrays, tensors = Padding((15, 21))(dict(meta)), Padding((15, 21), data_type="tensor")(ToTensor()(dict(meta)))
    assert tensors["seg_target"].dtype == torch.int16
    np.testing.assert_array_equal(tensors["image"].numpy(), arrays["image"].transpose(2, 0, 1))
    for key in ("seg_target", "edge_target", "img2aug_pos_mapper"):
        np.testing.assert_array_equal(tensors[key].numpy(), arrays[key])


def test_centre_of_larger_tensors_is_kept(sample):
    before = sample()
    after = Padding((8, 20), data_type="tensor")(ToTensor()(dict(before)))
    assert after["image"].shape == (3, 8, 20)
    np.testing.assert_array_equal(after["seg_target"][:, 2:18].numpy(), before["seg_target"][2:10])


def test_size_follows_the_orientation(sample):
    assert Padding((30, 20))(sample())["image"].shape[:2] == (20, 30)
    assert Padding((30, 20))(sample(16, 12))["image"].shape[:2] == (30, 20)
    assert Padding((30, 20))(sample(12, 12))["image"].shape[:2] == (30, 20)
    assert Padding((30, 20), output_size_auto_adaptive=False)(sample())["image"].shape[:2] == (30, 20)


def test_same_size_is_not_copied(sample):
    before = sample()
    assert Padding((12, 16))(dict(before))["image"] is before["image"]
    tensors = ToTensor()(dict(before))
    assert Padding((12, 16), data_type="tensor")(dict(tensors))["image"] is tensors["image"]


def test_larger_array_is_refused(sample):
    with pytest.raises(ShapeError, match="Padding: image of 12 x 16 pixels is larger than output_size 10 x 20"):
        Padding((10, 20))(sample())


def test_order_with_to_tensor(sample):
    with pytest.raises(ConfigError, match="data_type='numpy' belongs before ToTensor, but image is a Tensor"):
        Padding((15, 20))(ToTensor()(sample()))
    with pytest.raises(ConfigError, match="data_type='tensor' belongs after ToTensor, but image is a ndarray"):
        Padding((15, 20), data_type="tensor")(sample())


def test_fill_value_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match=r"Padding: seg_target is uint8.*fill value -100"):
        Padding(8)({"seg_target": np.zeros((4, 4), np.uint8)})
    with pytest.raises(ConfigError, match=r"Padding: seg_target is uint8.*fill value -100"):
        Padding(8, data_type="tensor")({"seg_target": torch.zeros(4, 4, dtype=torch.uint8)})


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"output_size": -1}, "Padding: output_size=-1 must be"),
        ({"output_size": 8, "data_type": "tensors"}, "Padding: data_type='tensors'.*Did you mean 'tensor'"),
        ({"output_size": 8, "output_size_auto_adaptive": None}, "output_size_auto_adaptive=None must be True or False"),
        ({"output_size": 8, "seg_target_fill_value": None}, "Padding: seg_target_fill_value=None must be a number"),
    ],
)
def test_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        Padding(**cfg)
