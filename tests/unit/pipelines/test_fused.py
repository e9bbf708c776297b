"""The faster way through a pipeline against the documented one: same draws, same arrays."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from ssseg.modules.datasets.labelcodes import ByteLabels, RunLengthLabels
from ssseg.modules.datasets.pipelines.builder import build_pipeline
from ssseg.modules.datasets.pipelines.compose import Compose
from ssseg.modules.datasets.pipelines.flip import RandomFlip
from ssseg.modules.datasets.pipelines.fused.deferred import DeferringTail
from ssseg.modules.datasets.pipelines.fused.ondevice import distorted_images, finished_images
from ssseg.modules.datasets.pipelines.fused.plan import FusedCompose, OneRoundTrip, WindowRun
from ssseg.modules.datasets.pipelines.photometric import Distortion, distorted
from ssseg.modules.datasets.pipelines.rareclass import RareClassFocus
from tests import shared

NORMALIZE = ("Normalize", {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]})
CROP = ("RandomCrop", {"crop_size": (24, 32)})
FLIP = ("RandomFlip", {"prob": 0.5})
SWAP = ("RandomFlip", {"prob": 0.5, "fixed_seg_target_pairs": [(1, 2)]})
WIDE = ("Resize", {"output_size": (64, 32), "scale_range": (0.5, 2.0)})
RUNS = {
    "usual": [WIDE, CROP, FLIP],
    "huge": [("Resize", {"output_size": (400, 300), "scale_range": (0.5, 2.0)}), CROP, FLIP],
    "tiny": [("Resize", {"output_size": (9, 7), "scale_range": (0.05, 1.0)}), CROP, FLIP],
    "stretched": [("Resize", {"output_size": (90, 33), "keep_ratio": False}), CROP, SWAP],
    "exact": [("Resize", {"output_size": (90, 70), "seg_target_interpolation": "nearest_exact"}), CROP, FLIP],
    "smooth": [("Resize", {"output_size": (90, 70), "image_interpolation": "bicubic"}), CROP, FLIP],
    "same size": [("Resize", {"output_size": (5000, 5000), "min_size": 1, "scale_range": None}), CROP],
    "flips first": [("RandomShortestEdgeResize", {"short_edge_range": (9, 90), "max_size": 200}), SWAP, CROP],
    "two crops": [WIDE, ("RandomCrop", {"crop_size": (40, 50)}), SWAP, CROP, SWAP],
    "choice": [("RandomChoiceResize", {"scales": [20, 70, 130], "resize_type": "Resize"}), CROP, FLIP],
    "shortest edge": [("ResizeShortestEdge", {"short_edge_length": 77, "max_size": 300}), FLIP],
    "one label is enough": [WIDE, ("RandomCrop", {"crop_size": 16, "one_category_max_ratio": 1.0}), FLIP],
}
SIZES = st.sampled_from([(1, 1), (1, 50), (50, 1), (3, 3), (24, 32), (37, 53), (53, 37), (100, 80)])
SEEDS = st.integers(0, 2**32 - 1)
TAIL = [NORMALIZE, ("ToTensor", {})]


def both_ways(pipeline, focus=None, **how):
    plain = Compose(build_pipeline(pipeline, where="pipeline"))
    for transform in plain.transforms:
        if focus is not None and type(transform).__name__ == "RandomCrop":
            transform.focus = focus
    return plain, FusedCompose(plain, **how)


def sample(seed, size, kind="noise"):
    random = np.random.RandomState(seed % 2**32)
    labels = random.choice([-100, 0, 1, 2, 3], size).astype(np.int16)
    if kind == "ignored":
        labels[:] = -100
    return {"image": random.randint(0, 256, (*size, 3)).astype(np.uint8), "seg_target": labels, "id": "a"}


def run(compose, meta, seed):
    np.random.seed(seed)
    return compose(dict(meta)), np.random.get_state()[1:3]


def assert_same(one, other, image=0):
    (plain, after), (fused, after_fused) = one, other
    assert plain["image"].shape == fused["image"].shape
    assert np.abs(plain["image"].astype(int) - fused["image"]).max() <= image
    np.testing.assert_array_equal(plain["seg_target"], fused["seg_target"])
    assert fused["seg_target"].dtype == np.int16
    np.testing.assert_array_equal(after[0], after_fused[0])
    assert after[1] == after_fused[1]


@pytest.mark.parametrize("name", RUNS)
@given(seed=SEEDS, size=SIZES, kind=st.sampled_from(["noise", "ignored"]))
@example(seed=1, size=(100, 80), kind="noise")
def test_windows_are_the_same_to_the_bit(name, seed, size, kind):
    plain, fused = both_ways(RUNS[name])
    assert [type(step) for step in fused.steps] == [WindowRun]
    meta = sample(seed, size, kind)
    if name == "same size":
        plain.transforms[0].output_size = size
    expected = run(plain, meta, seed)
    assert_same(expected, run(fused, meta, seed))
    near = FusedCompose(plain, near=True)
    assert_same(expected, run(near, meta, seed), image=1)


@given(seed=SEEDS, size=SIZES, prob=st.sampled_from([0, 0.5, 1]))
def test_crops_around_rare_classes_are_the_same(seed, size, prob):
    plain, fused = both_ways(RUNS["huge"], focus=RareClassFocus(prob))
    meta = sample(seed, size)
    assert_same(run(plain, meta, seed), run(fused, meta, seed))


@pytest.mark.parametrize("name", ["usual", "huge", "exact", "flips first"])
@given(seed=SEEDS, size=SIZES)
def test_coded_label_maps_are_taken(name, seed, size):
    plain, fused = both_ways(RUNS[name])
    meta = sample(seed, size)
    expected = run(plain, meta, seed)
    for codes in (RunLengthLabels.of(meta["seg_target"]), ByteLabels.of(meta["seg_target"], -100)):
        assert_same(expected, run(fused, {**meta, "seg_target": codes}, seed))
        assert_same(run(plain, meta, seed), run(FusedCompose(Compose(plain.transforms, False)), meta, seed))


@pytest.mark.parametrize("scale", [0.5, 0.73, 1.37, 2.0])
@pytest.mark.parametrize("near", [False, True])
def test_windows_of_a_large_picture(scale, near):
    random = np.random.RandomState(0)
    image = random.randint(0, 256, (512, 1024, 3)).astype(np.uint8)
    image[100:300:2] = 0
    image[101:301:2] = 255  # the steepest edges that there are
    meta = {"image": image, "seg_target": random.randint(0, 9, (512, 1024)).astype(np.int16)}
    resize = ("Resize", {"output_size": (round(1024 * scale), round(512 * scale) + 1), "scale_range": None})
    plain, fused = both_ways([resize, ("RandomCrop", {"crop_size": (97, 211)}), FLIP], near=near)
    for seed in range(5):
        assert_same(run(plain, meta, seed), run(fused, meta, seed), image=int(near))


DOCUMENTED = [WIDE, CROP, FLIP, ("PhotoMetricDistortion", {}), *TAIL]
PADDING = ("Padding", {"output_size": (24, 32), "data_type": "tensor"})
ENDINGS = {
    "no padding": TAIL,
    "padding": [*TAIL, PADDING],
    "fill": [*TAIL, ("Padding", {"output_size": (41, 52), "data_type": "tensor", "image_fill_value": 0.3})],
    "smaller": [*TAIL, ("Padding", {"output_size": (11, 14), "data_type": "tensor"})],
    "upright": [*TAIL, ("Padding", {"output_size": (14, 60), "data_type": "tensor"})],
    "edges": [("EdgeExtractor", {}), *TAIL, PADDING],
    "bgr": [("Normalize", {"mean": [1, 2, 3], "std": [4, 5, 6], "to_rgb": False}), ("ToTensor", {}), PADDING],
}


@pytest.mark.parametrize("name", ENDINGS)
@given(seed=SEEDS, size=SIZES, channels_last=st.booleans())
def test_what_is_deferred_is_finished_to_the_bit(name, seed, size, channels_last):
    plain, fused = both_ways([WIDE, CROP, FLIP, *ENDINGS[name]])
    meta = sample(seed, size)
    (expected, _), (got, _) = run(plain, meta, seed), run(fused, meta, seed)
    assert got["image"].dtype == torch.uint8
    images = finished_images(got["image"][None], [got.pop("deferred")], channels_last=channels_last)
    assert images.is_contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
    assert torch.equal(images[0], expected["image"])
    assert got.keys() == expected.keys()
    for key in expected.keys() & {"seg_target", "edge_target"}:
        assert got[key].dtype == expected[key].dtype
        assert torch.equal(got[key], expected[key])


@given(seed=SEEDS, size=SIZES)
def test_colours_differ_only_where_saturation_and_hue_change(seed, size):
    plain, fused = both_ways([*DOCUMENTED[:4]])
    meta = sample(seed, size)
    (expected, after), (got, after_fused) = run(plain, meta, seed), run(fused, meta, seed)
    assert after[1] == after_fused[1]
    np.random.seed(seed)
    Compose(plain.transforms[:3])(dict(meta))
    drawn = plain.transforms[3].draw()
    twice = drawn.saturation is not None and drawn.hue is not None
    off = np.abs(expected["image"].astype(int) - got["image"])
    assert off.max() <= (9 if twice else 0)
    np.testing.assert_array_equal(expected["seg_target"], got["seg_target"])


def test_a_batch_of_several_pipelines_is_finished_each_as_it_says():
    metas = [sample(seed, (30, 40)) for seed in range(3)]
    endings = [ENDINGS["padding"], ENDINGS["bgr"], ENDINGS["padding"]]
    expected, images, deferred = [], [], []
    for seed, (meta, ending) in enumerate(zip(metas, endings, strict=True)):
        plain, fused = both_ways([WIDE, CROP, *ending])
        expected.append(run(plain, meta, seed)[0]["image"])
        got = run(fused, meta, seed)[0]
        images.append(got["image"])
        deferred.append(got["deferred"])
    assert torch.equal(finished_images(torch.stack(images), deferred), torch.stack(expected))


CHANGES = [
    Distortion(None, None, False, None, None),
    Distortion(20.5, 1.3, True, None, None),
    Distortion(-31.2, 0.6, False, 1.4, None),
    Distortion(None, 1.2, False, None, -17),
    Distortion(5.5, None, True, 0.6, 11),
]


ROUNDING = 0.05 if cv2.__version__ >= "5" else 0.7  # older OpenCV rounds otherwise on the way from hues to colours


def test_colours_change_on_the_device_as_on_the_cpu():
    images = np.stack([sample(seed, (64, 64))["image"] for seed in range(len(CHANGES))])
    images[:, :9] = images[:, :9, :, :1]  # greys have no hue
    images[:, 9:12], images[:, 12:15] = 0, 255
    got = distorted_images(torch.from_numpy(images), CHANGES).numpy()
    for image, change, result in zip(images, CHANGES, got, strict=True):
        off = np.abs(distorted(image, change, one_round_trip=True) - result)
        in_hsv = change.saturation is not None or change.hue is not None
        assert off.max() <= (2 if in_hsv else 0)
        assert off.mean() <= (ROUNDING if in_hsv else 0)


def test_device_transforms_draw_as_the_pipeline_does():
    plain, fused = both_ways(DOCUMENTED, device_transforms=True)
    assert [type(step) for step in fused.steps] == [WindowRun, DeferringTail]
    meta = sample(0, (60, 80))
    for seed in range(8):
        (_, after), (got, after_fused) = run(plain, meta, seed), run(fused, meta, seed)
        assert after[1] == after_fused[1]
        np.random.seed(seed)
        Compose(plain.transforms[:3])(dict(meta))
        assert got["deferred"].distortion == plain.transforms[3].draw()


def test_changes_of_colours_stay_where_something_follows_that_sees_them():
    blurred = [*DOCUMENTED[:4], ("RandomGaussianBlur", {"prob": 0.5, "kernel_size": 3}), *TAIL]
    steps = both_ways(blurred, device_transforms=True)[1].steps
    assert [type(step).__name__ for step in steps] == [
        "WindowRun", "OneRoundTrip", "RandomGaussianBlur", "DeferringTail"
    ]  # fmt: skip


class OwnFlip(RandomFlip):
    """A user's variant: it is called, whatever it inherits."""


def test_what_is_not_known_goes_the_plain_way():
    plain = Compose(build_pipeline(DOCUMENTED, where="pipeline"))
    plain.transforms[2] = own = OwnFlip(0.5)
    steps = FusedCompose(plain).steps
    assert [type(step) for step in steps] == [WindowRun, OwnFlip, OneRoundTrip, DeferringTail]
    assert steps[1] is own
    assert FusedCompose(plain).transforms == plain.transforms
    odd = [("Resize", {"output_size": 40, "seg_target_interpolation": "area"}), CROP]
    assert not any(isinstance(step, WindowRun) for step in both_ways(odd)[1].steps)


@pytest.mark.parametrize(
    "change",
    [
        lambda meta: meta | {"edge_target": meta["seg_target"].copy()},
        lambda meta: meta | {"image": np.repeat(meta["image"], 2, axis=2)[:, :, :5]},
        lambda meta: {"image": meta["image"]},
        lambda meta: meta | {"image": meta["image"].astype(np.float32)},
        lambda meta: meta | {"seg_target": meta["seg_target"].astype(np.int32)},
    ],
    ids=["edges", "channels", "no labels", "floats", "wide labels"],
)
def test_other_samples_go_the_plain_way(change):
    plain, fused = both_ways([WIDE, CROP, FLIP, ("ToTensor", {})])
    meta = change(sample(3, (50, 60)))
    (expected, _), (got, _) = run(plain, meta, 7), run(fused, meta, 7)
    assert got.keys() == expected.keys()
    for key, value in expected.items():
        assert key == "id" or torch.equal(got[key], value)


def test_a_map_of_positions_is_carried_along():
    transforms = build_pipeline([WIDE, CROP, FLIP, *TAIL], where="pipeline")
    plain = Compose(transforms, record_img2aug_pos_mapper=True)
    meta = {**sample(0, (50, 60)), "height": 50, "width": 60}
    (expected, _), (got, _) = run(plain, meta, 5), run(FusedCompose(plain), meta, 5)
    assert torch.equal(got["img2aug_pos_mapper"], expected["img2aug_pos_mapper"])
    assert torch.equal(got["image"], expected["image"])


@pytest.mark.skipif(not shared.DATA.is_dir(), reason="real photographs are not there")
@pytest.mark.parametrize("photo", ["dog.jpg", "truck.jpg", "bedroom.jpg"])
def test_real_photographs(photo):
    image = cv2.imread(str(shared.DATA / "photos" / photo))
    labels = (cv2.GaussianBlur(image, (0, 0), 9)[..., 1] // 16).astype(np.int16)
    meta = {"image": image, "seg_target": labels}
    pipeline = [("Resize", {"output_size": (2048, 512)}), ("RandomCrop", {"crop_size": 512}), FLIP]
    plain, fused = both_ways(pipeline)
    for seed in range(4):
        expected = run(plain, meta, seed)
        assert_same(expected, run(fused, meta, seed))
        assert_same(expected, run(FusedCompose(plain, near=True), meta, seed), image=1)
