"""Laws of all transforms: any size works or is refused clearly, arrays move together, and the seed decides."""

import importlib.util

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssseg.modules.datasets.pipelines import Compose, DataTransformBuilder, build_pipeline
from ssseg.modules.utils.errors import SSSegError

GEOMETRIC = [
    ("Resize", {"output_size": (20, 9)}),
    ("Resize", {"output_size": (20, 9), "min_size": 5, "scale_range": None}),
    ("Resize", {"output_size": (9, 20), "keep_ratio": False, "image_interpolation": "area"}),
    ("ResizeShortestEdge", {"short_edge_length": 8, "max_size": 30, "image_interpolation": "lanczos"}),
    ("RandomShortestEdgeResize", {"short_edge_range": (1, 9), "max_size": 30}),
    ("RandomChoiceResize", {"scales": [(20, 9), 7], "image_interpolation": "bicubic"}),
    ("RandomCrop", {"crop_size": (8, 5)}),
    ("RandomCrop", {"crop_size": 3, "one_category_max_ratio": 0}),
    ("RandomFlip", {"prob": 0.5, "fixed_seg_target_pairs": [(1, 2)]}),
    ("RandomRotation", {"prob": 1, "angle_upper": 180}),
    ("RandomCutOut", {"prob": 1, "n_holes": (1, 3), "cutout_ratio": [(0.3, 0.3), (1, 0)]}),
]
TO_A_SIZE = [("Padding", {"output_size": (20, 30)}), ("ToTensor", {})]
COLOUR = [
    ("PhotoMetricDistortion", {}),
    ("Normalize", {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}),
    ("RGB2Gray", {}),
]
GREY_LEVELS = [
    ("AdjustGamma", {"gamma": 0.7}),
    ("CLAHE", {}),
    ("Rerange", {}),
    ("RandomGaussianBlur", {"prob": 1, "kernel_size": 7}),
    ("PILRandomGaussianBlur", {"prob": 1, "radius": 3}),
]
LABELS = [("EdgeExtractor", {}), ("Resize", {"output_size": (13, 7), "seg_target_interpolation": "nearest_exact"})]
ALBUMENTATIONS = [
    ("AlbumentationsWrapper", {"albu_cfg": {"type": "HorizontalFlip"}}),
    ("AlbumentationsWrapper", {"albu_cfg": {"type": "RandomCrop", "height": 5, "width": 5}}),
]
if importlib.util.find_spec("albumentations") is None:
    ALBUMENTATIONS = []
ALL = GEOMETRIC + TO_A_SIZE + COLOUR + GREY_LEVELS + LABELS + ALBUMENTATIONS

SIZES = st.sampled_from([(1, 1), (1, 5000), (5000, 1), (3, 3), (2, 9), (12, 40), (40, 12)])
SEEDS = st.integers(0, 2**32 - 1)


def named(entry):
    return f"{entry[0]}-{'-'.join(entry[1])}"


def test_no_transform_is_forgotten():
    missing = DataTransformBuilder().keys() - {name for name, _ in ALL}
    assert missing <= ({"AlbumentationsWrapper"} if not ALBUMENTATIONS else set())


def sample(seed, size, channels=3):
    random = np.random.RandomState(seed)
    height, width = size
    return {
        "image": random.randint(0, 256, (height, width, channels)).astype(np.uint8),
        "seg_target": random.choice([-100, 0, 1, 2, 3], size).astype(np.int16),
        "edge_target": random.randint(0, 2, size).astype(np.int16),
        "img2aug_pos_mapper": np.arange(height * width).reshape(size),
        "height": height,
        "width": width,
        "id": "a",
    }


def copied(meta):
    return {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in meta.items()}


def refuses(entry, size, channels):
    """Whether a transform has a reason to refuse an image."""
    name, fields = entry
    if name in ("Normalize", "RGB2Gray"):
        return channels != 3
    if name == "Rerange":
        return size == (1, 1) and channels == 1
    if name == "Padding":
        return max(size) > 30
    return fields.get("albu_cfg", {}).get("type") == "RandomCrop" and min(size) < 5


@pytest.mark.parametrize("entry", ALL, ids=named)
@given(seed=SEEDS, size=SIZES, channels=st.sampled_from([1, 2, 3, 4, 5, 9]))
@settings(max_examples=15)
def test_any_image_works_or_is_refused(entry, seed, size, channels):
    (transform,) = build_pipeline([entry], where="pipeline")
    before = sample(seed, size, channels)
    given_arrays = copied(before)
    np.random.seed(seed)
    if refuses(entry, size, channels):
        with pytest.raises(SSSegError, match=f"^{entry[0]}: "):
            transform(dict(before))
        return
    after = transform(dict(before))
    for key in ("image", "seg_target", "edge_target", "img2aug_pos_mapper"):
        np.testing.assert_array_equal(before[key], given_arrays[key])  # nothing is written into what was given
    if entry[0] == "ToTensor":
        assert after["image"].shape == (channels, *size)
        assert after["seg_target"].shape == size
    elif entry[0] == "AlbumentationsWrapper":
        assert after["image"].shape[:2] == after["seg_target"].shape
    else:
        assert len({after[key].shape[:2] for key in ("image", "seg_target", "edge_target", "img2aug_pos_mapper")}) == 1
        assert after["image"].shape[2] == channels
        assert after["seg_target"].dtype == np.int16


@pytest.mark.parametrize("entry", ALL, ids=named)
@given(seed=SEEDS)
@settings(max_examples=5)
def test_the_seed_decides(entry, seed):
    results = []
    for _ in range(2):
        (transform,) = build_pipeline([entry], where="pipeline")
        np.random.seed(seed)
        results.append(transform(sample(seed, (12, 20))))
    for key in ("image", "seg_target", "edge_target", "img2aug_pos_mapper"):
        np.testing.assert_array_equal(np.asarray(results[0][key]), np.asarray(results[1][key]))


SAME_FOR_ALL = {
    "Resize": {"image_interpolation": "nearest"},
    "ResizeShortestEdge": {"image_interpolation": "nearest"},
    "RandomShortestEdgeResize": {"image_interpolation": "nearest"},
    "RandomChoiceResize": {"image_interpolation": "nearest"},
    "RandomFlip": {"fixed_seg_target_pairs": None},
    "RandomRotation": {
        "image_interpolation": "nearest",
        "seg_target_fill_value": 0,
        "img2aug_pos_mapper_fill_value": 0,
    },
    "RandomCutOut": {"seg_target_fill_value": 0, "img2aug_pos_mapper_fill_value": 0},
}


@pytest.mark.parametrize("entry", GEOMETRIC, ids=named)
@given(seed=SEEDS, size=SIZES, channels=st.sampled_from([1, 3, 6]))
@settings(max_examples=15)
def test_all_arrays_move_together(entry, seed, size, channels):
    name, fields = entry
    (transform,) = build_pipeline([(name, {**fields, **SAME_FOR_ALL.get(name, {})})], where="pipeline")
    labels = np.random.RandomState(seed).randint(1, 200, size)
    meta = {
        "image": np.repeat(labels[:, :, None], channels, axis=2).astype(np.uint8),
        "seg_target": labels.astype(np.int16),
        "edge_target": labels.astype(np.int16),
        "img2aug_pos_mapper": labels,
    }
    np.random.seed(seed)
    after = transform(meta)
    for key in ("edge_target", "img2aug_pos_mapper"):
        np.testing.assert_array_equal(after[key], after["seg_target"])
    for channel in range(channels if name != "RandomRotation" else 0):  # OpenCV rounds by dtype and channels there
        np.testing.assert_array_equal(after["image"][:, :, channel], after["seg_target"])


@given(seed=SEEDS, size=SIZES, channels=st.integers(1, 6))
def test_flips_undo_themselves(seed, size, channels):
    (flip,) = build_pipeline([("RandomFlip", {"prob": 1, "fixed_seg_target_pairs": [(1, 3)]})], where="pipeline")
    before = sample(seed, size, channels)
    after = flip(flip(dict(before)))
    for key in ("image", "seg_target", "edge_target", "img2aug_pos_mapper"):
        np.testing.assert_array_equal(after[key], before[key])


@given(seed=SEEDS, size=SIZES, crop=st.tuples(st.integers(1, 50), st.integers(1, 50)))
def test_crops_lie_inside(seed, size, crop):
    (transform,) = build_pipeline([("RandomCrop", {"crop_size": crop})], where="pipeline")
    before = sample(seed, size)
    np.random.seed(seed)
    after = transform(dict(before))
    top, left = divmod(int(after["img2aug_pos_mapper"][0, 0]), size[1])
    height, width = min(crop[0], size[0]), min(crop[1], size[1])
    assert 0 <= top <= size[0] - height
    assert 0 <= left <= size[1] - width
    for key in ("image", "seg_target", "edge_target", "img2aug_pos_mapper"):
        np.testing.assert_array_equal(after[key], before[key][top : top + height, left : left + width])


@given(seed=SEEDS, size=st.tuples(*[st.integers(1, 70)] * 2))
def test_documented_pipeline_takes_any_image(seed, size):
    pipeline = [
        ("Resize", {"output_size": (64, 32), "keep_ratio": True, "scale_range": (0.5, 2.0)}),
        ("RandomCrop", {"crop_size": (32, 32), "one_category_max_ratio": 0.75}),
        ("RandomFlip", {"prob": 0.5}),
        ("PhotoMetricDistortion", {}),
        ("EdgeExtractor", {}),
        ("Normalize", {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}),
        ("ToTensor", {}),
        ("Padding", {"output_size": (32, 32), "data_type": "tensor"}),
    ]
    np.random.seed(seed)
    meta = sample(seed, size)
    known = np.unique(meta["seg_target"])
    after = Compose(build_pipeline(pipeline, where="pipeline"))(meta)
    assert after["image"].shape == (3, 32, 32)
    assert after["image"].dtype == torch.float32
    assert after["image"].isfinite().all()
    assert after["seg_target"].dtype == torch.int16
    assert after["seg_target"].shape == after["edge_target"].shape == (32, 32)
    assert set(after["seg_target"].unique().tolist()) <= {-100, *known.tolist()}
    assert set(after["edge_target"].unique().tolist()) <= {-100, 0, 1}
