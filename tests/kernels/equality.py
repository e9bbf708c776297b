"""Each kernel against PyTorch; `test_interpreter.py` and `test_gpu.py` say where."""

import pytest
import torch

from ssseg.modules.models.kernels import choice, crossentropy, deformable
from ssseg.modules.models.segmentors.mask2former.deformable import deformable_attention
from ssseg.modules.models.upsampling import upsampled_cross_entropy
from tests.unit.models.segmentors.test_mask2former import sampled_map_by_map
from tests.unit.upsampling.test_crossentropy import plain, random


@pytest.fixture(name="device")
def _device():
    return torch.device("cpu")


@pytest.fixture(autouse=True)
def only_kernels(monkeypatch):
    """Let the kernels run, whatever the device; that one is not trusted would be a warning, thus an error."""
    monkeypatch.setattr(choice, "available", lambda device: True)
    monkeypatch.setattr(choice, "_is_faster", lambda run, plain, arguments: True)
    monkeypatch.setattr(choice, "_faster", {})


@pytest.fixture(name="runs")
def counted_runs(monkeypatch):
    """How often each kernel has run."""
    count = {crossentropy: 0, deformable: 0}

    def counted(module, run):
        def function(*arguments):
            count[module] += 1
            return run(*arguments)

        return function

    for module in count:
        monkeypatch.setattr(module, "run", counted(module, module.run))
    return count


def compared(logits, labels, device, dtype=torch.float32, **options):
    """Compare sums and gradient with those of resized logits in float64."""
    logits = logits.to(dtype)
    given = logits.to(device, copy=True).requires_grad_()
    loss, weight = upsampled_cross_entropy(
        given, labels.to(device), **{name: _on(device, value) for name, value in options.items()}
    )
    (loss / 7).backward()
    leaf = logits.double().requires_grad_()
    expected, expected_weight = plain(leaf, labels, **options)
    (expected / 7).backward()
    torch.testing.assert_close(loss.cpu().double(), expected.detach(), rtol=2e-6, atol=1e-5)
    torch.testing.assert_close(weight.cpu().double(), expected_weight.double())
    near = 5e-6 if dtype == torch.float32 else torch.finfo(dtype).eps  # positions are rounded in float32
    torch.testing.assert_close(
        given.grad.cpu().double(), leaf.grad, rtol=near, atol=near * float(leaf.grad.abs().max()) + 1e-9
    )


def _on(device, value):
    return value.to(device) if isinstance(value, torch.Tensor) else value


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize(
    ("k", "small", "large"),
    [
        (19, (3, 5), (10, 17)),
        (2, (1, 4), (1, 9)),
        (5, (4, 1), (7, 6)),
        (3, (1, 1), (3, 2)),
        (17, (9, 33), (10, 34)),  # more than one part along each axis
        (4, (2, 3), (3, 131)),
        (7, (6, 5), (3, 4)),  # to a smaller map
        (33, (4, 4), (4, 4)),
    ],
)
def test_cross_entropy(device, runs, k, small, large, align_corners):
    logits, labels = random(k, 2, k, small, large)
    options = {"class_weight": torch.linspace(0, 2, k), "label_smoothing": 0.1, "align_corners": align_corners}
    compared(logits, labels, device, **options)
    compared(logits[:1], labels[:1], device, align_corners=align_corners)
    assert runs[crossentropy] >= 2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_cross_entropy_of_half_precision(device, runs, dtype):
    compared(*random(0, 2, 9, (4, 3), (9, 12)), device, dtype, label_smoothing=0.2)
    assert runs[crossentropy]


def test_cross_entropy_where_everything_is_ignored(device):
    logits, labels = random(0, 2, 5, (3, 4), (7, 9), ignored=1.0)
    leaf = logits.to(device, copy=True).requires_grad_()
    loss, weight = upsampled_cross_entropy(leaf, labels.to(device))
    loss.backward()
    assert (loss, weight) == (0, 0)
    assert not leaf.grad.any()


@pytest.mark.parametrize("label_smoothing", [0.0, 1.0])
def test_cross_entropy_of_ties_and_of_large_scores(device, label_smoothing):
    logits, labels = random(0, 1, 18, (3, 3), (8, 8))
    for given in (torch.zeros_like(logits), logits.round(), logits * 1000, logits - 500, logits + 500):
        leaf = given.to(device, copy=True).requires_grad_()
        sums = upsampled_cross_entropy(leaf, labels.to(device), label_smoothing=label_smoothing)
        sums[0].backward()
        exact = given.double().requires_grad_()
        expected, _ = plain(exact, labels, label_smoothing=label_smoothing)
        expected.backward()
        torch.testing.assert_close(sums[0].detach().cpu().double(), expected.detach(), rtol=1e-5, atol=1e-4)
        torch.testing.assert_close(leaf.grad.cpu().double(), exact.grad, rtol=2e-4, atol=5e-3)


def test_cross_entropy_of_other_memory_formats_and_without_gradient(device, runs):
    logits, labels = random(0, 2, 9, (4, 5), (9, 11))
    compared(logits.contiguous(memory_format=torch.channels_last), labels.transpose(1, 2).contiguous().mT, device)
    ours, _ = upsampled_cross_entropy(logits.to(device), labels.to(device))
    assert not ours.requires_grad
    torch.testing.assert_close(ours.cpu(), plain(logits, labels)[0])
    assert runs[crossentropy] >= 2


def test_not_finite_scores_give_a_loss_that_is_not_finite(device):
    logits, labels = random(0, 1, 3, (4, 4), (8, 8))
    logits[0, 0, 0, 0] = torch.nan
    assert upsampled_cross_entropy(logits.to(device), labels.to(device))[0].isnan()


def test_results_do_not_depend_on_the_order_of_programs(device):
    logits, labels = random(0, 2, 6, (10, 35), (20, 70))
    found = []
    for _ in range(3 if device.type == "cuda" else 1):
        leaf = logits.to(device, copy=True).requires_grad_()
        upsampled_cross_entropy(leaf, labels.to(device))[0].backward()
        found.append(leaf.grad)
    assert all(torch.equal(found[0], other) for other in found)


SIZES = {"several": [(2, 3), (5, 4), (9, 7)], "thin": [(1, 5), (4, 1), (1, 1)], "one": [(3, 6)]}


@pytest.mark.parametrize("reach", [0.0, 0.4, 1e4])
@pytest.mark.parametrize("sizes", SIZES)
def test_deformable_attention(device, runs, sizes, reach):
    attention_compared(SIZES[sizes], reach, torch.float32, device)
    assert runs[deformable]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_deformable_attention_of_half_precision(device, runs, dtype):
    attention_compared(SIZES["thin"], 0.4, dtype, device)
    assert runs[deformable]


def attention_compared(sizes, reach, dtype, device):
    """Compare result and gradients with those of `grid_sample`."""
    generator = torch.Generator().manual_seed(0)
    value = torch.randn(2, sum(h * w for h, w in sizes), 3, 5, generator=generator)
    locations = torch.rand(2, 17, 3, len(sizes), 2, 2, generator=generator) * (1 + 2 * reach) - reach
    weights = torch.rand(2, 17, 3, len(sizes), 2, generator=generator)
    above = torch.randn(2, 17, 15, generator=generator).to(dtype)
    inputs = [each.to(dtype) for each in (value, locations, weights)]
    given = [each.to(device, copy=True).requires_grad_() for each in inputs]
    made = deformable_attention(given[0], sizes, *given[1:])
    assert made.dtype == dtype
    gradients = torch.autograd.grad(made, given, above.to(device))
    exact = [each.detach().float().requires_grad_() for each in inputs]
    expected = sampled_map_by_map(exact[0], sizes, *exact[1:])
    expected_gradients = torch.autograd.grad(expected, exact, above.float())
    near = 1e-5 if dtype == torch.float32 else 2 * torch.finfo(dtype).eps
    for ours, theirs in zip([made, *gradients], [expected.detach(), *expected_gradients], strict=True):
        atol = near * (1 + float(theirs.abs().max()))
        torch.testing.assert_close(ours.detach().cpu().float(), theirs, rtol=10 * near, atol=atol)


def test_deformable_attention_of_parts_and_of_places_between(device):
    sizes = [(3, 4)]
    value = torch.arange(12.0, device=device).view(1, 12, 1, 1)
    locations = torch.tensor([[0.125, 0.5], [0.25, 0.5], [0.0, 0.0], [torch.nan, 0.5]], device=device)
    weights = torch.ones(1, 4, 1, 1, 1, device=device, requires_grad=True)
    made = deformable_attention(value, sizes, locations.view(1, 4, 1, 1, 1, 2), weights)
    assert made.flatten()[:3].tolist() == [4, 4.5, 0]
    assert made.flatten()[3].isnan()
    (gradient,) = torch.autograd.grad(made.sum(), weights)
    assert gradient.flatten()[:3].tolist() == [4, 4.5, 0]


def test_deterministic_runs_do_without_sums_in_any_order(device):
    tensors = (torch.ones(1, 1, 1, 1), [(1, 1)], torch.ones(1, 1, 1, 1, 1, 2), torch.ones(1, 1, 1, 1, 1))
    assert deformable.takes(*tensors)
    torch.use_deterministic_algorithms(True)
    try:
        assert not deformable.takes(*tensors)
    finally:
        torch.use_deterministic_algorithms(False)
