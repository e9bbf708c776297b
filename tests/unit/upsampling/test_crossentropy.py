"""Cross entropy that resizes piece by piece against resizing first."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from ssseg.modules.models.upsampling import pieces, upsampled_cross_entropy

LENGTHS = st.sampled_from([1, 2, 3, 5, 8, 17])
IGNORED = -100


def plain(logits, labels, class_weight=None, label_smoothing=0.0, align_corners=False):
    """The sum of the weighted losses, and of the weights."""
    large = F.interpolate(logits, labels.shape[1:], mode="bilinear", align_corners=align_corners)
    valid = labels != IGNORED
    weight = valid.to(large.dtype)
    if class_weight is not None:
        weight = class_weight.to(large.dtype)[labels.where(valid, 0)] * weight
    loss = F.cross_entropy(large, labels, ignore_index=IGNORED, label_smoothing=label_smoothing, reduction="none")
    return (loss * weight).sum(), weight.sum()


def both(logits, labels, **options):
    """The results and gradients of our way and of the plain one."""
    results = []
    for function in (upsampled_cross_entropy, plain):
        leaf = logits.detach().clone().requires_grad_()
        loss, weight = function(leaf, labels, **options)
        (loss / weight.clamp(min=1)).backward()
        results.append((loss.detach(), weight.detach(), leaf.grad))
    return results


def random(seed, n, k, small, large, ignored=0.2):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, k, (n, *large), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < ignored] = IGNORED
    return 3 * torch.randn(n, k, *small, generator=generator), labels


@given(
    seed=st.integers(0, 2**31),
    n=st.sampled_from([1, 3]),
    k=st.sampled_from([2, 3, 19]),
    small=st.tuples(LENGTHS, LENGTHS),
    large=st.tuples(LENGTHS, st.sampled_from([1, 2, 7, 33, 65, 200])),
    ignored=st.sampled_from([0.0, 0.3, 1.0]),
    weighted=st.booleans(),
    label_smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    align_corners=st.booleans(),
    in_cache=st.booleans(),
)
def test_loss_and_gradient_are_those_of_resized_logits(
    seed, n, k, small, large, ignored, weighted, label_smoothing, align_corners, in_cache
):
    logits, labels = random(seed, n, k, small, large, ignored)
    class_weight = torch.linspace(0, 2, k) if weighted else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE_BYTES", 3 * k * large[1] * 4)  # three rows
        if not in_cache:
            patch.setattr(pieces, "_pieces_in_cache", pieces._whole_images)
        ours, expected = both(
            logits, labels, class_weight=class_weight, label_smoothing=label_smoothing, align_corners=align_corners
        )
    for got, wanted in zip(ours, expected, strict=True):
        torch.testing.assert_close(got, wanted, rtol=2e-6, atol=2e-6 * float(wanted.abs().max()) + 1e-9)


@pytest.mark.parametrize("k", [19, 150])
@pytest.mark.parametrize(("small", "large"), [((32, 32), (128, 128)), ((16, 20), (128, 157)), ((65, 64), (129, 127))])
@pytest.mark.parametrize("align_corners", [False, True])
def test_we_agree_with_the_plain_way_to_1e_6_and_err_no_more(k, small, large, align_corners):
    logits, labels = random(0, 2, k, small, large)
    ours, expected = both(logits, labels, align_corners=align_corners)
    assert abs(ours[0] / expected[0] - 1) <= 1e-6
    assert (ours[2] - expected[2]).abs().max() <= 1e-6 * expected[2].abs().max()
    _, exact = both(logits.double(), labels, align_corners=align_corners)
    error, plain_error = ((result[2] - exact[2]).norm() / exact[2].norm() for result in (ours, expected))
    assert error <= plain_error + 1e-7


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("large", [(4, 5), (9, 70), (2, 3)])
def test_gradcheck(large, align_corners):
    logits, labels = random(0, 2, 4, (4, 5), large)
    leaf = logits.double().requires_grad_()
    options = {"class_weight": torch.tensor([0.0, 1, 2, 3]).double(), "label_smoothing": 0.2}
    assert torch.autograd.gradcheck(
        lambda x: upsampled_cross_entropy(x, labels, align_corners=align_corners, **options)[0], leaf
    )


def test_scores_that_differ_by_thousands():
    logits, labels = random(0, 1, 5, (6, 6), (20, 20))
    ours, expected = both(1000 * logits, labels)
    torch.testing.assert_close(ours[0], expected[0])
    torch.testing.assert_close(ours[2], expected[2], rtol=1e-5, atol=1e-5)
    ours, expected = both(logits + 1e4, labels)
    torch.testing.assert_close(ours[0], expected[0], rtol=1e-4, atol=0)


def test_not_finite_scores_give_a_loss_that_is_not_finite():
    logits, labels = random(0, 1, 3, (4, 4), (8, 8))
    logits[0, 0, 0, 0] = torch.nan
    assert upsampled_cross_entropy(logits, labels)[0].isnan()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype):
    logits, labels = random(0, 2, 7, (8, 8), (32, 32))
    logits = logits.to(dtype)
    leaf = logits.clone().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, weight = upsampled_cross_entropy(leaf, labels)
        (loss / weight).backward()
    _, expected = both(logits.float(), labels)
    torch.testing.assert_close(loss.detach(), expected[0], rtol=1e-6, atol=0)
    assert leaf.grad.dtype == dtype
    torch.testing.assert_close(leaf.grad, expected[2].to(dtype))


def test_memory_formats_and_slices():
    logits, labels = random(0, 2, 9, (8, 8), (32, 31))
    _, expected = both(logits, labels)
    last = logits.contiguous(memory_format=torch.channels_last)
    part = torch.cat([logits, logits], dim=1)[:, 4:13].roll(5, dims=1)
    for given_logits in (last, part.contiguous().clone()[:, list(range(9))]):
        ours, plain_result = both(given_logits, labels)
        torch.testing.assert_close(ours, plain_result, rtol=2e-6, atol=1e-7)
    assert both(last, labels)[0][2].is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(both(last, labels)[0][0], expected[0])


def test_without_a_gradient():
    logits, labels = random(0, 1, 4, (5, 5), (9, 9))
    expected = plain(logits, labels)[0]
    assert not upsampled_cross_entropy(logits, labels)[0].requires_grad
    leaf = logits.requires_grad_()
    with torch.no_grad():
        loss, _ = upsampled_cross_entropy(leaf, labels)
    torch.testing.assert_close(loss, expected)


def test_a_second_derivative_is_refused():
    logits, labels = random(0, 1, 4, (5, 5), (9, 9))
    leaf = logits.requires_grad_()
    loss, _ = upsampled_cross_entropy(leaf, labels)
    with pytest.raises(RuntimeError, match="has no second derivative"):
        torch.autograd.grad(loss, leaf, create_graph=True)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # torch's own, while it looks at its arguments
def test_runs_inside_a_compiled_function():
    logits, labels = random(0, 1, 4, (5, 5), (9, 9))
    compiled = torch.compile(lambda x: upsampled_cross_entropy(2 * x, labels)[0] + 1, backend="eager")
    leaf = logits.clone().requires_grad_()
    loss = compiled(leaf)
    loss.backward()
    torch.testing.assert_close(loss.detach(), plain(2 * logits, labels)[0] + 1)
    assert leaf.grad.abs().sum() > 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu():
    logits, labels = random(0, 2, 19, (16, 16), (64, 61))
    ours, _ = both(logits.cuda(), labels.cuda())
    _, expected = both(logits, labels)
    for got, wanted in zip(ours, expected, strict=True):
        torch.testing.assert_close(got.cpu(), wanted, rtol=2e-6, atol=1e-7)
