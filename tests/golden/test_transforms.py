"""Every transform against recorded arrays: grey levels within 1, labels exact, floats within 1e-5 of the largest."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ssseg.modules.datasets.pipelines.builder import BuildDataTransform, build_pipeline
from ssseg.modules.datasets.pipelines.transforms import Compose, RandomFlip, Resize
from ssseg.modules.utils.errors import ConfigError
from tests.golden.inputs import sample

DATA = Path(__file__).parent / "data"
GOLDEN = json.loads((DATA / "transforms.json").read_text())
CASES = GOLDEN["cases"]
ARRAYS = np.load(DATA / "transforms.npz")

# Where ours is better; tests/unit/pipelines/test_crop.py and test_rotation.py show what it does.
BETTER = {
    "crop/all_ignored": "where all windows hold ignored labels only, the last one is taken, not the whole image",
    "rotate/seed1_fill": "a fill value fills all channels instead of the first",
}


def inputs_of(case):
    spec = CASES[case]["inputs"]
    return sample({"classes": 5, "ignore": None, **spec})


@pytest.mark.parametrize("case", [case for case in CASES if case not in BETTER])
def test_equals_the_record(case):
    spec = CASES[case]
    if case.startswith("albu"):
        pytest.importorskip("albumentations")
    transforms = build_pipeline(spec["pipeline"], where="pipeline")
    np.random.seed(spec.get("seed", 0))
    got = Compose(transforms)(inputs_of(case))
    assert got.keys() - {"width", "height"} == spec["outputs"].keys()
    for key, record in spec["outputs"].items():
        array = got[key].numpy() if isinstance(got[key], torch.Tensor) else got[key]
        assert isinstance(got[key], torch.Tensor) == record["dtype"].startswith("torch.")
        assert list(array.shape) == record["shape"]
        flat = array.reshape(-1)
        if record.get("unchanged"):
            np.testing.assert_array_equal(array, inputs_of(case)[key])
        elif key != "image":
            np.testing.assert_array_equal(flat, ARRAYS[f"{case}/{key}"].reshape(-1))
        elif case.startswith("rotate") and cv2.__version__ < "5":
            pass  # older OpenCV rounds the coordinates of a warp to 1/32 pixel
        else:
            want = ARRAYS[f"{case}/{key}"].astype(np.float64)
            step = GOLDEN["image_step"]
            np.testing.assert_allclose(flat[::step], want, rtol=0, atol=image_tolerance(spec, record, want))


def image_tolerance(spec, record, want):
    if record["dtype"] == "uint8":
        return 1
    deviations = [min(fields["std"]) for name, fields in spec["pipeline"] if name == "Normalize"]
    grey_level = 1 / min(deviations) if deviations and len(spec["pipeline"]) > 1 else 0
    return 1e-5 * np.abs(want).max() + grey_level


@pytest.mark.parametrize("case", GOLDEN["refused"])
def test_refuses_what_cannot_work_when_it_is_built(case):
    spec = GOLDEN["refused"][case]
    if spec["type"] == "AlbumentationsWrapper":
        pytest.importorskip("albumentations")
    with pytest.raises(ConfigError, match=spec["type"]):
        BuildDataTransform({"type": spec["type"], **spec["cfg"]})


@pytest.mark.parametrize("case", GOLDEN["record_img2aug_pos_mapper"])
def test_position_map_follows_the_transforms(case):
    spec = GOLDEN["record_img2aug_pos_mapper"][case]
    meta = sample({"picture": spec["picture"], "height": 40, "width": 60, "keys": ["image", "seg_target"]})
    transforms = build_pipeline(spec["pipeline"], where="pipeline")
    np.random.seed(spec["seed"])
    mapper = Compose(transforms, record_img2aug_pos_mapper=True)(meta)["img2aug_pos_mapper"]
    np.testing.assert_array_equal(mapper, ARRAYS[f"record_mapper/{case}"])


def test_random_scales_are_spread_over_the_range():
    statistics = GOLDEN["statistics"]["Resize scale_range (0.5, 2.0)"]
    resize, image = Resize((1000, 1000)), np.zeros((1, 1, 1), np.uint8)
    scales = [resize({"image": image})["image"].shape[0] / 1000 for _ in range(statistics["draws"])]
    assert min(scales) == pytest.approx(statistics["min_scale"], abs=0.02)
    assert max(scales) == pytest.approx(statistics["max_scale"], abs=0.02)
    assert np.mean(scales) == pytest.approx(statistics["mean_scale"], abs=0.05)


def test_share_of_flips_is_the_probability():
    statistics = GOLDEN["statistics"]["RandomFlip prob 0.3"]
    flip, image = RandomFlip(0.3), np.arange(2, dtype=np.uint8).reshape(1, 2, 1)
    flipped = sum(flip({"image": image})["image"][0, 0, 0] == 1 for _ in range(statistics["draws"]))
    assert flipped == pytest.approx(statistics["flipped"], abs=40)
