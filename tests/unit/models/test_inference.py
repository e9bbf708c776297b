"""Whole images, windows, resized and mirrored copies."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ssseg.engine.labelling import label_images
from ssseg.modules import BuildSegmentor
from ssseg.modules.models.segmentors.base.labelsizes import draw_labels, sample_labels
from ssseg.modules.models.segmentors.base.mirror import flip_pairs, swap_labels
from ssseg.modules.models.segmentors.base.windows import Windows, score_bands, score_windows
from ssseg.modules.models.upsampling.resize import resize, resize_like
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small

PAIRS = [(1, 2)]


def segmentor(**inference):
    """A small FCN with some sections of its inference settings updated."""
    cfg = small("FCN")
    for section, fields in inference.items():
        cfg["inference"][section].update(fields)
    return BuildSegmentor(cfg, "TEST")


def twin(model, **inference):
    other = segmentor(**inference)
    other.load_state_dict(model.state_dict())
    return other


def test_whole_returns_the_logits_as_they_are():
    scores = segmentor().inference(torch.randn(2, 3, 32, 40))
    assert scores.shape == (2, 4, 4, 5)
    assert not scores.requires_grad


def test_probabilities_on_request():
    model, images = segmentor(), torch.randn(2, 3, 32, 40)
    scores = twin(model, tta={"use_probs_before_resize": True}).inference(images)
    torch.testing.assert_close(scores, model.inference(images).softmax(dim=1))


def test_images_are_brought_to_the_type_of_the_weights():
    assert segmentor().double().inference(torch.randint(0, 9, (1, 3, 32, 32))).dtype == torch.float64


def test_forward_args_are_passed_on():
    class WithExtra(type(segmentor())):
        def forward(self, data_meta, shift=0):
            result = super().forward(data_meta)
            result.seg_logits = result.seg_logits + shift
            return result

    cfg = small("FCN")
    cfg.pop("type")
    model, images = WithExtra(cfg, "TEST").eval(), torch.randn(1, 3, 32, 32)
    shifted = model.inference(images, forward_args={"shift": 1})
    torch.testing.assert_close(shifted, model.inference(images) + 1)
    torch.testing.assert_close(model.auginference(images, {"shift": 1})[0], shifted)


def test_training_mode_is_refused():
    with pytest.raises(RuntimeError, match=r"segmentor\.eval\(\)"):
        segmentor().train().inference(torch.zeros(1, 3, 32, 32))


@pytest.mark.parametrize("probabilities", [False, True])
def test_a_window_over_everything_equals_the_whole_image(probabilities):
    model, images = segmentor(), torch.randn(1, 3, 32, 40)
    slide = {"mode": "slide", "cropsize": (64, 50), "stride": (10, 10)}
    scores = twin(model, forward=slide, tta={"use_probs_before_resize": probabilities}).inference(images)
    whole = resize_like(model.inference(images), images, align_corners=False)
    torch.testing.assert_close(scores, whole.softmax(dim=1) if probabilities else whole)


sides = st.integers(1, 12)


@given(size=st.tuples(sides, sides), crop=st.tuples(sides, sides), data=st.data())
def test_windows_cover_every_pixel_and_average_to_the_image(size, crop, data):
    stride = [data.draw(st.integers(1, side)) for side in crop]
    image, seen = torch.rand(1, 2, *size), []

    def identity(window):
        assert window.shape[2:] == tuple(min(pair) for pair in zip(size, crop, strict=True))
        seen.append(window)
        return window

    torch.testing.assert_close(score_windows(identity, image, Windows.over(image, crop, stride)), image)
    counts = [max(s - c + d - 1, 0) // d + 1 for s, c, d in zip(size, crop, stride, strict=True)]
    assert len(seen) == counts[0] * counts[1]


@given(size=st.tuples(sides, sides), crop=st.tuples(sides, sides), at_once=st.integers(1, 5), data=st.data())
def test_windows_together_and_in_bands_give_the_same(size, crop, at_once, data):
    stride = [data.draw(st.integers(1, side)) for side in crop]
    images = torch.rand(2, 3, *size)

    def blurred(windows):  # what a window gives depends on what it shows
        assert len(windows) <= 2 * at_once
        return windows + windows.mean(dim=(1, 2, 3), keepdim=True)

    one_by_one = score_windows(blurred, images, Windows.over(images, crop, stride))
    together = Windows.over(images, crop, stride, at_once)
    torch.testing.assert_close(score_windows(blurred, images, together), one_by_one, rtol=1e-6, atol=1e-6)
    bands = [(rows, scores.clone()) for rows, scores in score_bands(blurred, images, together)]
    assert [row for rows, _ in bands for row in range(size[0])[rows]] == list(range(size[0]))
    torch.testing.assert_close(torch.cat([scores for _, scores in bands], dim=2), one_by_one, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("at_once", [None, 3])
@pytest.mark.parametrize("probabilities", [False, True])
def test_labels_of_windows_are_made_in_bands_and_equal_those_of_all_scores(probabilities, at_once):
    slide = {"mode": "slide", "cropsize": (32, 40), "stride": (24, 17), "windows_at_once": at_once}
    tta = {"use_probs_before_resize": probabilities}
    model, images = segmentor(forward=slide, tta=tta), torch.randn(2, 3, 75, 90)
    scores = model.inference(images)
    one_by_one = twin(model, forward={**slide, "windows_at_once": 1}, tta=tta).inference(images)
    torch.testing.assert_close(one_by_one, scores, rtol=1e-6, atol=1e-6)
    assert torch.equal(label_images(model, images, (75, 90)), scores.argmax(dim=1).to(torch.int16))
    larger = resize(scores, (80, 100), align_corners=False)
    assert torch.equal(label_images(model, images, (80, 100)), larger.argmax(dim=1).to(torch.int16))


def test_bands_hold_one_row_of_windows():
    images, held = torch.rand(1, 2, 400, 10), []
    for _, scores in score_bands(lambda window: window, images, Windows.over(images, (20, 10), (15, 10))):
        held.append(scores.untyped_storage().nbytes())
    assert max(held) == 2 * 20 * 10 * 4


def test_a_way_of_inference_of_its_own_is_used_for_labels_too():
    class Inverted(type(segmentor())):
        def inference(self, images, forward_args=None):
            return -super().inference(images, forward_args)

    cfg = small("FCN")
    cfg.pop("type")
    cfg["inference"]["forward"].update(mode="slide", cropsize=(32, 32), stride=(16, 16))
    model, images = Inverted(cfg, "TEST").eval(), torch.randn(1, 3, 48, 48)
    assert torch.equal(label_images(model, images, (48, 48))[0], model.inference(images)[0].argmax(dim=0).short())


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        ({"mode": "slid"}, r"\['mode'\]: is 'slid'.*Did you mean 'slide'"),
        ({"mode": "slide"}, r"\['cropsize'\]: None must be two positive integers"),
        (
            {"mode": "slide", "cropsize": (8, 8), "stride": (8, 0)},
            r"\['stride'\]: \(8, 0\) must be two positive integers",
        ),
        ({"mode": "slide", "cropsize": (8, 8), "stride": (8, 9)}, r"\['stride'\]: \(8, 9\) leaves gaps"),
        (
            {"mode": "slide", "cropsize": (8, 8), "stride": (8, 8), "windows_at_once": 0},
            r"\['windows_at_once'\]: 0 must be an integer of at least 1",
        ),
    ],
)
def test_settings_that_cannot_work(forward, message):
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['inference'\]\['forward'\]" + message):
        segmentor(forward=forward).inference(torch.zeros(1, 3, 32, 32))


def test_augmentation_gives_one_result_a_scale_and_side():
    model = segmentor(tta={"multiscale": [0.5, 1, 1.5], "flip": True})
    results = model.auginference(torch.randn(1, 3, 32, 48))
    assert [tuple(scores.shape[2:]) for scores in results] == [(2, 3)] * 2 + [(4, 6)] * 2 + [(6, 9)] * 2
    assert all(scores.device.type == "cpu" for scores in results)
    assert len(segmentor().auginference(torch.randn(1, 3, 32, 32))) == 1


def test_mirrored_results_are_mirrored_back():
    """A model that is blind to left and right gives the same scores for both."""
    model = segmentor(tta={"flip": True})
    with torch.no_grad():
        for conv in model.modules():
            if isinstance(conv, nn.Conv2d):
                conv.weight.copy_((conv.weight + conv.weight.flip(3)) / 2)
    images = torch.randn(1, 3, 33, 33)  # odd, so that strided convolutions see both sides alike
    plain, mirrored = model.auginference(images)
    torch.testing.assert_close(mirrored, plain)


@pytest.mark.parametrize(
    "flip",
    [
        ("RandomFlip", {"prob": 0.5, "fixed_seg_target_pairs": PAIRS}),
        {"type": "RandomFlip", "prob": 0.5, "fixed_seg_target_pairs": PAIRS},
    ],
)
@pytest.mark.parametrize(
    "place",
    [
        lambda pipeline: {"train": {"data_pipelines": pipeline}},
        lambda pipeline: {"data_pipelines": pipeline},
        lambda pipeline: {"train": [{"type": "A"}, {"train": {"data_pipelines": pipeline}}]},
    ],
)
def test_pairs_are_found_in_every_form_of_a_pipeline(flip, place):
    dataset = place([("Resize", {"output_size": (8, 8)}), ("RandomFlip", {"prob": 0.5}), flip, ("ToTensor", {})])
    assert flip_pairs({"inference": {"tta": {}}, "dataset": dataset}) == PAIRS


def test_pairs_of_the_augmentation_itself_come_first():
    dataset = {"train": {"data_pipelines": [("RandomFlip", {"prob": 0.5, "fixed_seg_target_pairs": PAIRS})]}}
    cfg = {"inference": {"tta": {"fixed_seg_target_pairs": []}}, "dataset": dataset}
    assert flip_pairs(cfg) == []
    assert flip_pairs({"inference": {}, "dataset": None}) == ()


def test_labels_of_a_pair_are_swapped_in_mirrored_results():
    model = segmentor(tta={"flip": True, "fixed_seg_target_pairs": PAIRS})
    images = torch.randn(1, 3, 32, 32)
    unswapped = twin(model, tta={"flip": True}).auginference(images)
    plain, mirrored = model.auginference(images)
    assert torch.equal(plain, unswapped[0])
    assert torch.equal(mirrored, unswapped[1][:, [0, 2, 1, 3]])


@given(st.permutations(range(6)))
def test_swapping_twice_is_nothing(labels):
    pairs, scores = [labels[:2], labels[2:4]], torch.arange(6.0).view(1, 6, 1, 1)
    assert torch.equal(swap_labels(swap_labels(scores, pairs), pairs), scores)


def test_resize_leaves_the_right_size_alone():
    x = torch.randn(1, 2, 4, 5)
    assert resize(x, (4, 5), align_corners=False) is x
    assert resize(x, (8, 5), align_corners=True).shape == (1, 2, 8, 5)


@given(size=st.tuples(sides, sides), align_corners=st.booleans())
def test_labels_are_sampled_where_the_scores_lie(size, align_corners):
    """A map of rows and columns, enlarged, says where each score lies; the label there is the nearest pixel's."""
    height, width = 12, 9
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    labels = sample_labels(rows[None] * 100 + columns, size, align_corners)[0]

    def centres(given, wanted):
        places = torch.arange(wanted)
        return places * (given - 1) / max(wanted - 1, 1) if align_corners else (places + 0.5) * given / wanted - 0.5

    assert ((labels // 100) - centres(height, size[0])[:, None]).abs().max() <= 0.5
    assert ((labels % 100) - centres(width, size[1])).abs().max() <= 0.5


@given(size=st.tuples(sides, sides), align_corners=st.booleans())
def test_labels_are_drawn_around_where_the_scores_lie(size, align_corners):
    """A map of rows and columns, enlarged, says where each score lies; the label there is of a pixel of its cell."""
    height, width = 12, 9
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    labels = draw_labels((rows * 100 + columns).expand(400, -1, -1), size, align_corners)

    def step(given, wanted):
        return (given - 1) / max(wanted - 1, 1) if align_corners else given / wanted

    def centres(given, wanted):
        places = torch.arange(wanted)
        return places * step(given, wanted) if align_corners else (places + 0.5) * given / wanted - 0.5

    off = labels // 100 - centres(height, size[0])[:, None], labels % 100 - centres(width, size[1])
    for distance, given_side, side in zip(off, (height, width), size, strict=True):
        assert distance.abs().max() <= max(step(given_side, side), 1) / 2 + 0.5
        if side > 1 and given_side % side == 0 and not align_corners:  # whole cells: none off its place on average
            assert distance.float().mean((0, 1, 2)).abs() < 0.2 * step(given_side, side)


def test_all_labels_of_a_cell_are_drawn_and_those_of_an_image_alike():
    labels = torch.arange(48).view(1, 6, 8).expand(300, -1, -1)
    drawn = draw_labels(labels, (3, 4), align_corners=False)
    assert set(drawn[:, 0, 0].tolist()) == {0, 1, 8, 9}
    assert (drawn - drawn[:, :1, :1] == torch.arange(3)[:, None] * 16 + torch.arange(4) * 2).all()


def test_sampled_labels_keep_their_type():
    labels = torch.tensor([[[0, -100], [3, 1]]], dtype=torch.int16)
    assert sample_labels(labels, (2, 2), align_corners=False).dtype == torch.int16
    assert torch.equal(sample_labels(labels, (2, 2), align_corners=True), labels)
