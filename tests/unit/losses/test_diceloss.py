"""Dice loss."""

import pytest
import torch
import torch.nn.functional as F

from ssseg.modules.models.losses import DiceLoss

OPTIONS = pytest.mark.parametrize(
    "options", [{}, {"use_sigmoid": False}, {"naive_dice": True}, {"use_sigmoid": False, "naive_dice": True}]
)


@OPTIONS
def test_a_perfect_prediction_costs_nothing_and_its_opposite_everything(options):
    labels = torch.randint(0, 3, (2, 8, 8))
    one_hot = F.one_hot(labels, 3).movedim(-1, 1).float()
    loss = DiceLoss(**options)
    assert loss(100 * (2 * one_hot - 1), labels).item() == pytest.approx(0, abs=1e-4)
    assert loss(100 * (2 * one_hot.roll(1, dims=1) - 1), labels).item() == pytest.approx(1, abs=1e-4)


@OPTIONS
def test_an_image_that_is_ignored_leaves_the_mean(options):
    logits, labels = torch.randn(3, 4, 5, 6, requires_grad=True), torch.randint(0, 4, (3, 5, 6))
    labels[1] = -100
    loss = DiceLoss(**options)(logits, labels)
    torch.testing.assert_close(loss, DiceLoss(**options)(logits[[0, 2]], labels[[0, 2]]))
    each = DiceLoss(reduction="none", **options)(logits, labels)
    assert each.shape == (3,)
    assert each[1] == 0
    loss.backward()
    assert torch.equal(logits.grad[1], torch.zeros(4, 5, 6))


@OPTIONS
def test_a_one_hot_target_costs_what_its_labels_cost(options):
    logits, labels = torch.randn(3, 4, 5, 6), torch.randint(0, 4, (3, 5, 6))
    loss = DiceLoss(**options)
    torch.testing.assert_close(loss(logits, F.one_hot(labels, 4).movedim(-1, 1)), loss(logits, labels))


def test_without_activation_the_scores_are_the_probabilities():
    scores, labels = torch.rand(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4))
    logits = torch.logit(scores)
    torch.testing.assert_close(DiceLoss(activate=False)(scores, labels), DiceLoss()(logits, labels))
