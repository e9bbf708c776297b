"""Focal loss."""

import pytest
import torch

from ssseg.modules.models.losses import CrossEntropyLoss, FocalLoss
from ssseg.modules.utils import ConfigError


def test_gamma_0_is_cross_entropy_times_alpha():
    logits, labels = torch.randn(2, 5, 6, 7), torch.randint(0, 5, (2, 6, 7))
    focal = FocalLoss(use_sigmoid=False, gamma=0.0, alpha=0.3)(logits, labels)
    torch.testing.assert_close(focal, 0.3 * CrossEntropyLoss()(logits, labels))
    focal = FocalLoss(gamma=0.0, alpha=0.5)(logits, labels)
    torch.testing.assert_close(focal, 0.5 * CrossEntropyLoss(use_sigmoid=True)(logits, labels))


@pytest.mark.parametrize("use_sigmoid", [False, True])
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_confident_predictions_have_finite_gradients(use_sigmoid, dense, gamma):
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4], [50.0, -50.0], [0.0, 0.0]], requires_grad=True)
    labels = torch.zeros(4, dtype=torch.long)
    target = torch.nn.functional.one_hot(labels, 2) if dense else labels
    loss = FocalLoss(use_sigmoid=use_sigmoid, gamma=gamma)(logits, target)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert logits.grad.abs().sum() > 0


def test_soft_target_costs_the_average_of_its_classes():
    logits = torch.randn(1, 3, 1)
    each = torch.stack([FocalLoss(use_sigmoid=False)(logits, torch.tensor([[c]])) for c in range(3)])
    target = torch.tensor([0.2, 0.5, 0.3])
    torch.testing.assert_close(FocalLoss(use_sigmoid=False)(logits, target.view(1, 3, 1)), (target * each).sum())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": -1}, "gamma=-1 must be at least 0"),
        ({"alpha": 1.5}, r"alpha=1.5 must lie in \[0, 1\]"),
        ({"alpha": -0.5}, r"alpha=-0.5 must lie in \[0, 1\]"),
    ],
)
def test_arguments_out_of_range(options, message):
    with pytest.raises(ConfigError, match=f"FocalLoss: {message}"):
        FocalLoss(**options)
