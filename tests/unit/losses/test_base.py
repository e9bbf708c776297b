"""Weighting, reduction, scaling and the floor."""

import pytest
import torch

from ssseg.modules.models.losses import BaseLoss, CrossEntropyLoss, L1Loss
from ssseg.modules.utils import ConfigError, ShapeError


def base(**options):
    return BaseLoss(**{"reduction": "mean", "scale_factor": 1.0, "lowest_loss_value": None} | options)


def test_unknown_reduction_names_the_choices_and_the_nearest():
    with pytest.raises(
        ConfigError, match=r"L1Loss: reduction='men' must be one of mean, sum, none\. Did you mean 'mean'"
    ):
        L1Loss(reduction="men")


@pytest.mark.parametrize(("reduction", "expected"), [("mean", 4.0), ("sum", 12.0), ("none", [2.0, 4.0, 6.0])])
def test_reduces_and_scales(reduction, expected):
    loss = base(reduction=reduction, scale_factor=2.0).finish(torch.tensor([1.0, 2.0, 3.0]))
    assert loss.tolist() == expected


def test_mean_divides_by_the_given_count():
    assert base().finish(torch.tensor([1.0, 5.0]), count=torch.tensor(3)).item() == 2


@pytest.mark.parametrize("count", [None, 0, torch.tensor(0)])
def test_mean_of_nothing_is_zero_with_zero_gradient(count):
    values = torch.zeros(0 if count is None else 3, requires_grad=True)
    loss = base().finish(values, count=count)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(loss, loss.new_zeros(()))
    assert torch.isfinite(values.grad).all()


def test_floor_turns_the_gradient_below_it():
    loss = base(lowest_loss_value=2.0, scale_factor=0.5)
    for value, expected, slope in ((10.0, 5.0, 0.5), (1.0, 3.5, -0.5)):
        x = torch.tensor(value, requires_grad=True)
        result = loss.finish(x)
        result.backward()
        assert (result.item(), x.grad.item()) == (expected, slope)


@pytest.mark.parametrize("weight", [(2, 3, 4), (2, 1, 3, 4), (1, 5, 1, 1), (2, 5, 3, 4)])
def test_weight_broadcasts_over_classes(weight):
    values, factor = torch.rand(2, 5, 3, 4), torch.rand(weight)
    full = factor.unsqueeze(1) if factor.ndim == 3 else factor
    torch.testing.assert_close(base(reduction="none").finish(values, factor), values * full)


def test_weight_may_have_an_axis_for_the_classes_that_the_loss_lacks():
    values, factor = torch.rand(2, 3, 4), torch.rand(2, 1, 3, 4)
    torch.testing.assert_close(base(reduction="none").finish(values, factor), values * factor[:, 0])


@pytest.mark.parametrize("weight", [(3, 4), (2, 2, 3, 4), (3, 5, 3, 4), (2, 4, 3), ()])
def test_weight_that_does_not_fit_is_refused(weight):
    with pytest.raises(ShapeError, match=r"BaseLoss: weight \(.*\) does not broadcast to the loss \(2, 5, 3, 4\)"):
        base().finish(torch.rand(2, 5, 3, 4), torch.rand(weight))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    logits, labels = torch.randn(2, 5, 8, 8).to(dtype), torch.randint(0, 5, (2, 8, 8))
    loss = CrossEntropyLoss()(logits, labels)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, CrossEntropyLoss()(logits.float(), labels))


def test_double_precision_stays():
    assert L1Loss()(torch.zeros(3, dtype=torch.float64), torch.ones(3)).dtype == torch.float64
