import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ssseg.modules.datasets.pipelines.resize import (
    RandomChoiceResize,
    RandomShortestEdgeResize,
    Resize,
    ResizeShortestEdge,
)
from ssseg.modules.utils.errors import ConfigError, ImageError


def shapes(meta):
    return {value.shape[:2] for value in meta.values() if isinstance(value, np.ndarray)}


def test_all_arrays_are_resized(sample):
    meta = Resize((32, 24), scale_range=None)(sample())
    assert shapes(meta) == {(24, 32)}
    assert (meta["height"], meta["width"]) == (12, 16)
    assert meta["seg_target"].dtype == np.int16


def test_doubling_repeats_labels_and_edges(sample):
    before = sample()
    after = Resize((32, 24), scale_range=None)(dict(before))
    for key in ("seg_target", "edge_target", "img2aug_pos_mapper"):
        np.testing.assert_array_equal(after[key], before[key].repeat(2, axis=0).repeat(2, axis=1))


def test_same_size_is_not_copied(sample):
    before = sample()
    assert Resize((16, 12), scale_range=None)(dict(before))["image"] is before["image"]


@pytest.mark.parametrize(
    ("resize", "size", "new_size"),
    [
        (Resize((20, 10), scale_range=None), (1, 5000), (1, 20)),
        (Resize((20, 10), scale_range=None), (5000, 1), (20, 1)),
        (Resize((20, 10), scale_range=(0.01, 0.01)), (1, 1), (1, 1)),
        (Resize((20, 10), scale_range=(0.01, 0.01)), (30, 30), (1, 1)),
        (ResizeShortestEdge(8, 30), (1, 5000), (1, 30)),
        (ResizeShortestEdge(8, 30), (5000, 1), (30, 1)),
        (ResizeShortestEdge(8, 30), (1, 1), (8, 8)),
    ],
)
def test_no_edge_vanishes(resize, size, new_size):
    assert resize({"image": np.zeros((*size, 3), np.uint8)})["image"].shape == (*new_size, 3)


def resized_positions(old, new, interpolation):
    """Where in a line of `old` pixels the `new` ones come from, and the centres of these, both in old pixels."""
    line = np.arange(old, dtype=np.int16).repeat(2).reshape(old, 2)
    cfg = {"output_size": (new, 2), "keep_ratio": False, "scale_range": None}
    labels = Resize(**cfg, seg_target_interpolation=interpolation)({"seg_target": line})["seg_target"]
    return labels[:, 0] + 0.5, (np.arange(new) + 0.5) * old / new


@given(old=st.integers(2, 3000), new=st.integers(2, 3000))
@example(4, 2)
@example(2048, 1331)
@example(3, 3000)
def test_nearest_exact_takes_the_pixel_at_the_centre(old, new):
    taken, centres = resized_positions(old, new, "nearest_exact")
    assert np.abs(taken - centres).max() <= 0.5


@pytest.mark.parametrize(("old", "new"), [(512, 700), (700, 512), (361, 240), (1024, 1331), (1331, 1024)])
def test_nearest_lies_half_a_new_pixel_beside_the_image(old, new):
    """The recorded behaviour; "nearest_exact" and a bilinear image have no such offset."""
    for interpolation, offset in (("nearest", -0.5), ("nearest_exact", 0)):
        taken, centres = resized_positions(old, new, interpolation)
        assert np.mean(taken - centres) * new / old == pytest.approx(offset, abs=0.15)
    grey = np.arange(old, dtype=np.float64).repeat(2).reshape(old, 2, 1)
    image = Resize((new, 2), keep_ratio=False, scale_range=None)({"image": grey})["image"]
    assert np.mean(image[:, 0, 0] + 0.5 - centres) * new / old == pytest.approx(0, abs=0.01)


def test_image_without_bounds_is_refused():
    strip = np.zeros((1, 3_000_000, 1), np.uint8)
    with pytest.raises(ImageError, match="Resize: an image of 1 x 3000000 pixels would become 512 x 1536000000"):
        Resize((2048, 512), min_size=512, scale_range=None)({"image": strip})


def test_without_arrays_nothing_happens():
    assert Resize((2, 2))({"id": "a"}) == {"id": "a"}
    assert ResizeShortestEdge(2, 4)({"id": "a"}) == {"id": "a"}


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"output_size": 0}, "Resize: output_size=0 must be"),
        ({"output_size": 8, "keep_ratio": "False"}, "Resize: keep_ratio='False' must be True or False"),
        ({"output_size": 8, "min_size": 0}, "Resize: min_size=0 must be"),
        (
            {"output_size": 8, "scale_range": (0, 1)},
            r"Resize: scale_range=\(0, 1\) must be two ascending numbers above 0",
        ),
        ({"output_size": 8, "image_interpolation": "cubic"}, "image_interpolation='cubic'.*Did you mean 'bicubic'"),
        ({"output_size": 8, "seg_target_interpolation": 0}, "seg_target_interpolation=0 must be one of nearest"),
    ],
)
def test_resize_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        Resize(**cfg)


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"short_edge_length": 0, "max_size": 8}, "ResizeShortestEdge: short_edge_length=0 must be"),
        ({"short_edge_length": [], "max_size": 8}, "short_edge_length=.* must be a positive number or several"),
        ({"short_edge_length": 8, "max_size": -1}, "ResizeShortestEdge: max_size=-1 must be"),
        ({"short_edge_length": 8, "max_size": 8, "scale_range": None}, "'scale_range' must be left out"),
        ({"short_edge_length": 8, "max_size": 8, "min_sizes": 3}, "has no such field. Did you mean 'min_size'"),
    ],
)
def test_shortest_edge_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        ResizeShortestEdge(**cfg)


def test_short_edges_are_drawn_below_the_upper_bound(sample):
    resize = RandomShortestEdgeResize((3, 6), 100)
    assert {resize(sample())["image"].shape[0] for _ in range(50)} == {3, 4, 5}


def test_equal_bounds_are_that_length(sample):
    assert RandomShortestEdgeResize((7, 7), 100)(sample())["image"].shape[0] == 7


def test_all_scales_are_drawn(sample):
    resize = RandomChoiceResize([6, 24], resize_type="ResizeShortestEdge", max_size=100)
    assert {resize(sample())["image"].shape[0] for _ in range(30)} == {6, 24}


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"scales": []}, r"RandomChoiceResize: scales=\[\] must be"),
        ({"scales": [0]}, "output_size=0 must be"),
        ({"scales": 8, "resize_type": "resize"}, "resize_type='resize'.*Did you mean 'Resize'"),
        ({"scales": 8, "resize_type": "ResizeShortestEdge"}, "RandomChoiceResize: .*needs 'max_size'"),
        ({"scales": 8, "output_size": 8}, "'output_size' must be left out"),
        ({"scales": 8, "keep_ration": True}, "Did you mean 'keep_ratio'"),
    ],
)
def test_choice_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        RandomChoiceResize(**cfg)
