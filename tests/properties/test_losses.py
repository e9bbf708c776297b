"""Laws that hold for all inputs of the losses."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssseg.modules import BuildLoss

WEIGHTS = [0.5, 2.0, 0.0]
OVER_CLASSES = {
    "ce": {"type": "CrossEntropyLoss"},
    "ce_weighted": {"type": "CrossEntropyLoss", "class_weight": WEIGHTS, "label_smoothing": 0.1},
    "bce": {"type": "CrossEntropyLoss", "use_sigmoid": True},
    "bce_weighted": {"type": "CrossEntropyLoss", "use_sigmoid": True, "class_weight": WEIGHTS},
    "focal": {"type": "FocalLoss", "gamma": 0.5},
    "softmax_focal": {"type": "FocalLoss", "use_sigmoid": False, "gamma": 0.5, "class_weight": WEIGHTS},
    "dice": {"type": "DiceLoss"},
    "softmax_dice": {"type": "DiceLoss", "use_sigmoid": False, "naive_dice": True},
    "lovasz": {"type": "LovaszLoss"},
    "lovasz_weighted": {"type": "LovaszLoss", "class_weight": WEIGHTS, "per_image": True},
    "hinge": {"type": "LovaszLoss", "use_sigmoid": True},
    "hinge_weighted": {"type": "LovaszLoss", "use_sigmoid": True, "class_weight": WEIGHTS, "per_image": True},
}
OVER_VALUES = {
    "l1": {"type": "L1Loss"},
    "mse": {"type": "MSELoss"},
    "cosine": {"type": "CosineSimilarityLoss"},
    "kl": {"type": "KLDivLoss", "reduction": "batchmean", "temperature": 0.5},
}
IGNORE = 255
CLASSES = 3

each_loss_over_classes = pytest.mark.parametrize("name", OVER_CLASSES)
each_loss = pytest.mark.parametrize("name", OVER_CLASSES | OVER_VALUES)
batches = st.tuples(st.integers(0, 2**31), st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5)))
extremes = st.sampled_from([-1e4, -100.0, -1.0, -1e-30, 0.0, 1e-30, 1.0, 100.0, 1e4])


def build(name, **options):
    if name in OVER_CLASSES:
        options["ignore_index"] = IGNORE
    return BuildLoss((OVER_CLASSES | OVER_VALUES)[name] | options)


def draw(seed, size):
    """Logits (N, C, H, W) and labels (N, H, W), a third of them ignored."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES, size, generator=generator)
    labels[torch.rand(size, generator=generator) < 1 / 3] = IGNORE
    return torch.randn(size[0], CLASSES, *size[1:], generator=generator), labels


def value_and_gradient(loss, logits, target):
    logits = logits.clone().requires_grad_()
    value = loss(logits, target)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    return value.detach(), gradient


@each_loss_over_classes
@settings(max_examples=20)
@given(batch=batches)
def test_ignored_pixels_change_neither_loss_nor_gradient(name, batch):
    logits, labels = draw(*batch)
    ignored = (labels == IGNORE).unsqueeze(1)
    value, gradient = value_and_gradient(build(name), logits, labels)
    others = torch.where(ignored, -7 * logits.flip(1), logits)
    other_value, other_gradient = value_and_gradient(build(name), others, labels)
    torch.testing.assert_close(other_value, value)
    torch.testing.assert_close(other_gradient, gradient)
    assert torch.equal(gradient.where(ignored, 0), torch.zeros_like(gradient))


@each_loss_over_classes
@settings(max_examples=20)
@given(batch=batches, reduction=st.sampled_from(["mean", "sum", "none"]))
def test_nothing_but_ignored_pixels_costs_nothing(name, batch, reduction):
    logits, labels = draw(*batch)
    value, gradient = value_and_gradient(build(name, reduction=reduction), logits, torch.full_like(labels, IGNORE))
    assert torch.equal(value, torch.zeros_like(value))
    assert torch.equal(gradient, torch.zeros_like(gradient))


@each_loss
@settings(max_examples=20)
@given(batch=batches)
def test_the_order_of_pixels_does_not_matter(name, batch):
    logits, labels = draw(*batch)
    order = torch.randperm(logits[0, 0].numel())
    logits, labels = logits.flatten(2), labels.flatten(1)
    target = labels if name in OVER_CLASSES else logits.roll(1, dims=1)
    value, gradient = value_and_gradient(build(name), logits, target)
    moved_value, moved_gradient = value_and_gradient(build(name), logits[..., order], target[..., order])
    torch.testing.assert_close(moved_value, value)
    torch.testing.assert_close(moved_gradient, gradient[..., order])


@each_loss
@settings(max_examples=20)
@given(batch=batches)
def test_losses_lie_in_their_range(name, batch):
    logits, labels = draw(*batch)
    value = build(name)(logits, labels if name in OVER_CLASSES else logits.roll(1, dims=1))
    highest = 1 if "dice" in name or "lovasz" in name else 2 if name == "cosine" else float("inf")
    assert -1e-6 <= value.item() <= highest + 1e-6


@each_loss
@settings(max_examples=40)
@given(
    values=st.lists(extremes, min_size=24, max_size=24),
    label=st.sampled_from([None, *range(CLASSES)]),
    dtype=st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_extreme_predictions_have_finite_losses_and_gradients(name, values, label, dtype):
    logits = torch.tensor(values).view(2, CLASSES, 2, 2)
    target = (torch.arange(8) % CLASSES if label is None else torch.full((8,), label)).view(2, 2, 2)
    if name in OVER_VALUES:
        target = logits.flip(2)
    value, gradient = value_and_gradient(build(name), logits.to(dtype), target)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()


@each_loss
@settings(max_examples=20)
@given(batch=batches, scale=st.floats(0.1, 10))
def test_scale_factor_multiplies(name, batch, scale):
    logits, labels = draw(*batch)
    target = labels if name in OVER_CLASSES else logits.roll(1, dims=1)
    torch.testing.assert_close(build(name, scale_factor=scale)(logits, target), scale * build(name)(logits, target))
