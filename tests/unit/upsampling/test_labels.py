"""Label maps of resized scores are those that resizing all of them gives, to the last pixel."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st

from ssseg.engine.labelling import logits_to_labels
from ssseg.modules.models.upsampling import best, rounding, upsampled_labels
from ssseg.modules.models.upsampling import labels as implementation
from ssseg.modules.models.upsampling.taps import Taps, resize_weights

LENGTHS = st.sampled_from([1, 2, 3, 5, 8, 13, 16, 33])
LARGE = st.sampled_from([1, 2, 33, 97, 128, 130, 161])


def plain(logits, size, align_corners):
    return F.interpolate(logits, size, mode="bilinear", align_corners=align_corners).argmax(dim=1).to(torch.int16)


def regions(generator, n, k, h, w):
    """Scores of a few large regions."""
    coarse = torch.randn(n, k, max(h // 6, 1), max(w // 6, 1), generator=generator)
    return F.interpolate(3 * coarse, (h, w), mode="bicubic") + 0.01 * torch.randn(n, k, h, w, generator=generator)


def scores(kind, generator, n, k, h, w):
    noise = torch.randn(n, k, h, w, generator=generator)
    smooth = regions(generator, n, k, h, w)
    return {
        "regions": smooth,
        "noise": noise,
        "whole numbers": smooth.round(),  # best classes are tied in one pixel of two
        "bfloat16": smooth.bfloat16().float(),
        "constant": torch.ones(n, k, h, w),
        "large offset": smooth + 1e6,  # a dozen distinct values are left, and rounding decides everywhere
        "one unit apart": 1 + torch.randint(0, 2, noise.shape, generator=generator) * 2**-23,
        "masked": torch.where(noise > 1, -1e4, smooth),
        "tiny": smooth * 1e-40,
    }[kind]


def require_equal_but_for_rounding(labels, logits, size, align_corners):
    """Where the labels differ, the scores do so in the last bits only: another processor may round in another order."""
    resized = F.interpolate(logits, size, mode="bilinear", align_corners=align_corners)
    chosen = resized.gather(1, labels[:, None].long())[:, 0]
    assert bool((chosen >= resized.amax(dim=1) - 4e-7 * logits.abs().amax()).all())


KINDS = ("regions", "noise", "whole numbers", "bfloat16", "constant", "masked", "tiny")
DECIDED_BY_ROUNDING = ("large offset", "one unit apart")


@pytest.mark.parametrize("kind", [*KINDS, *DECIDED_BY_ROUNDING])
@given(
    seed=st.integers(0, 2**31),
    n=st.sampled_from([1, 2]),
    k=st.sampled_from([1, 2, 3, 4, 5, 21]),
    small=st.tuples(LENGTHS, LENGTHS),
    large=st.tuples(LARGE, LARGE),
    align_corners=st.booleans(),
)
@example(seed=0, n=2, k=7, small=(16, 16), large=(64, 64), align_corners=False)
def test_equal_those_of_all_scores(kind, seed, n, k, small, large, align_corners):
    logits = scores(kind, torch.Generator().manual_seed(seed), n, k, *small)
    labels = upsampled_labels(logits, large, align_corners)
    require_equal_but_for_rounding(labels, logits, large, align_corners)
    if kind in KINDS:
        assert torch.equal(labels, plain(logits, large, align_corners))


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize(("small", "large"), [((64, 96), (256, 384)), ((33, 47), (200, 301)), ((80, 60), (160, 333))])
def test_the_quick_way_is_taken_and_exact(small, large, align_corners, monkeypatch):
    """Several pieces, doubts on even and uneven columns; no class is resized as a whole but for the last columns."""
    monkeypatch.setattr(implementation, "PIECE_BYTES", 2**14)
    resized = []
    everything = rounding.all_labels
    for module in (rounding, implementation):
        monkeypatch.setattr(module, "all_labels", lambda x, *more: resized.append(x.shape[1]) or everything(x, *more))
    logits = regions(torch.Generator().manual_seed(1), 2, 19, *small)
    assert torch.equal(upsampled_labels(logits, large, align_corners), plain(logits, large, align_corners))
    assert max(resized, default=0) < 19


@pytest.mark.parametrize("exact_products", [True, False])
@pytest.mark.parametrize("kind", ["regions", "noise", "bfloat16"])
def test_many_classes_and_products_of_low_precision(kind, exact_products, monkeypatch):
    """300 classes do not fit a byte; TF32 and bfloat16 hold neither sums of classes nor scores."""
    monkeypatch.setattr(best, "_multiplies_exactly", lambda device: exact_products)
    logits = scores(kind, torch.Generator().manual_seed(2), 1, 300, 20, 28)
    for size in ((96, 130), (20, 28), (61, 87)):
        assert torch.equal(upsampled_labels(logits, size), plain(logits, size, False))


@pytest.mark.parametrize("pixels", [1, 7, 1000])
def test_the_first_of_equal_classes_is_taken(pixels):
    logits = torch.randint(0, 3, (2, 6, 9, 11), generator=torch.Generator().manual_seed(0)).float()
    assert torch.equal(best.first_best(logits, pixels), logits.argmax(dim=1).to(torch.int16))


@given(given_=st.integers(1, 70), wanted=st.integers(1, 300), align_corners=st.booleans(), double=st.booleans())
def test_taps_are_the_entries_of_the_matrix(given_, wanted, align_corners, double):
    like = torch.zeros((), dtype=torch.float64 if double else torch.float32)
    taps = Taps.of(given_, wanted, align_corners, like)
    matrix = torch.zeros(wanted, given_, dtype=like.dtype)
    matrix.scatter_add_(1, taps.before[:, None], taps.near[:, None])
    matrix.scatter_add_(1, taps.after[:, None], taps.far[:, None])
    assert torch.equal(matrix, resize_weights(given_, wanted, align_corners, like))
    assert bool((taps.near != 0).all())


def test_pixels_that_rounding_decides_are_decided_alike():
    """Two classes that cross, so close that the sum's last bit counts at every pixel between."""
    generator = torch.Generator().manual_seed(0)
    left, right = torch.rand(2, 12, 12, generator=generator)
    close = left + (right - 0.5) * 2**-22
    logits = torch.stack([left, close, right - 1, close.flip(0), left.flip(0)])[None] * 7
    for size in ((97, 97), (161, 130), (24, 24), (60, 300)):
        for align_corners in (False, True):
            labels = upsampled_labels(logits, size, align_corners)
            require_equal_but_for_rounding(labels, logits, size, align_corners)
            assert (labels == plain(logits, size, align_corners)).float().mean() > 0.99


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_goes_the_plain_way(value):
    logits = regions(torch.Generator().manual_seed(0), 1, 4, 9, 9)
    logits[0, 2, 3, 3] = value
    assert torch.equal(upsampled_labels(logits, (33, 40)), plain(logits, (33, 40), False))


def test_memory_formats_and_precisions():
    logits = regions(torch.Generator().manual_seed(0), 2, 5, 12, 12)
    expected = plain(logits, (50, 47), False)
    assert torch.equal(upsampled_labels(logits.contiguous(memory_format=torch.channels_last), (50, 47)), expected)
    double = logits.double()
    assert torch.equal(upsampled_labels(double, (50, 47)), plain(double, (50, 47), False))
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
        assert torch.equal(logits_to_labels(logits, (50, 47), False), expected)
        assert torch.equal(logits_to_labels(logits, (150, 147), False), plain(logits, (150, 147), False))
    half = logits.bfloat16()
    assert torch.equal(logits_to_labels(half, (50, 47), False), plain(half.float(), (50, 47), False))


def test_labels_of_the_same_size_and_the_input_stays():
    logits = regions(torch.Generator().manual_seed(0), 1, 5, 12, 12)
    before = logits.clone()
    for size in ((12, 12), (40, 40)):
        upsampled_labels(logits, size)
        assert torch.equal(logits, before)
    assert torch.equal(upsampled_labels(logits, (12, 12)), logits.argmax(dim=1).to(torch.int16))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu():
    logits = regions(torch.Generator().manual_seed(0), 2, 19, 64, 96).cuda()
    assert torch.equal(upsampled_labels(logits, (256, 383)), plain(logits, (256, 383), False))
