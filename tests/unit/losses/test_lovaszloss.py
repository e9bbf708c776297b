"""Lovász losses."""

import pytest
import torch
import torch.nn.functional as F

from ssseg.modules.models.losses import LovaszLoss
from ssseg.modules.models.losses import lovaszloss as module
from ssseg.modules.models.losses.lovaszloss import jaccard_slopes
from ssseg.modules.utils import ConfigError


def jaccard_loss(prediction, target):
    union = (prediction | target).sum()
    return 1 - (prediction & target).sum() / union if union else torch.tensor(0.0)


def test_softmax_form_of_a_hard_prediction_is_the_mean_jaccard_loss():
    target, predicted = torch.randint(0, 4, (2, 9, 9)), torch.randint(0, 4, (2, 9, 9))
    logits = 1e3 * F.one_hot(predicted, 4).movedim(-1, 1).float()
    expected = torch.stack([jaccard_loss(predicted == c, target == c) for c in range(4)]).mean()
    torch.testing.assert_close(LovaszLoss()(logits, target), expected)


def test_hinge_takes_logits_and_a_confident_correct_prediction_costs_nothing():
    target = torch.randint(0, 3, (2, 9, 9))
    logits = 5 * (2 * F.one_hot(target, 3).movedim(-1, 1).float() - 1)
    assert LovaszLoss(use_sigmoid=True)(logits, target).item() == 0
    assert LovaszLoss(use_sigmoid=True)(-logits, target).item() == pytest.approx(6, rel=1e-5)


def test_slopes_are_the_differences_of_the_jaccard_loss():
    errors, positive = torch.rand(40, dtype=torch.float64), torch.rand(40) < 0.4
    slopes = jaccard_slopes(errors[None], positive[None], torch.ones(1, 40, dtype=torch.bool))[0]
    wrong, before = torch.zeros(40, dtype=torch.bool), 0.0
    for i in errors.argsort(descending=True):
        wrong[i] = True
        loss = jaccard_loss(positive ^ wrong, positive)
        assert slopes[i].item() == pytest.approx(float(loss - before), abs=1e-6)
        before = loss


@pytest.mark.parametrize("count", [0, 1, 7])
def test_slopes_add_up_to_the_whole_loss(count):
    positive = torch.arange(7) < count
    slopes = jaccard_slopes(torch.rand(3, 7), positive.expand(3, 7), torch.ones(3, 7, dtype=torch.bool))
    torch.testing.assert_close(slopes.sum(dim=1), torch.ones(3))


def test_sorting_in_parts_changes_nothing(monkeypatch):
    logits, target = torch.randn(2, 6, 9, 9), torch.randint(0, 6, (2, 9, 9))
    whole = LovaszLoss(per_image=True)(logits, target)
    monkeypatch.setattr(module, "_SORTED_AT_ONCE", 200)
    assert torch.equal(LovaszLoss(per_image=True)(logits, target), whole)


def test_absent_classes_count_only_with_all():
    logits, target = torch.randn(1, 4, 6, 6), torch.randint(0, 2, (1, 6, 6))
    every = torch.stack([LovaszLoss(classes=[c])(logits, target) for c in range(4)])
    torch.testing.assert_close(LovaszLoss()(logits, target), every[:2].mean())
    torch.testing.assert_close(LovaszLoss(classes="all")(logits, target), every.mean())


@pytest.mark.parametrize("use_sigmoid", [False, True])
def test_a_false_positive_of_a_single_channel_costs_something_without_any_positive(use_sigmoid):
    loss = LovaszLoss(use_sigmoid=use_sigmoid)
    assert loss(torch.ones(1, 1, 2, 2), torch.zeros(1, 2, 2)).item() == (2 if use_sigmoid else 1)


@pytest.mark.parametrize("use_sigmoid", [False, True])
def test_an_image_that_is_ignored_leaves_the_mean(use_sigmoid):
    logits, target = torch.randn(3, 4, 5, 6), torch.randint(0, 4, (3, 5, 6))
    target[1] = -100
    loss = LovaszLoss(use_sigmoid=use_sigmoid, per_image=True)
    torch.testing.assert_close(loss(logits, target), loss(logits[[0, 2]], target[[0, 2]]))


@pytest.mark.parametrize("use_sigmoid", [False, True])
def test_what_is_not_reduced_has_one_value_for_each_group(use_sigmoid):
    logits, target = torch.randn(3, 4, 5, 6), torch.randint(0, 4, (3, 5, 6))
    assert LovaszLoss(use_sigmoid=use_sigmoid, reduction="none")(logits, target).shape == (1,)
    assert LovaszLoss(use_sigmoid=use_sigmoid, reduction="none", per_image=True)(logits, target).shape == (3,)


def test_classes_that_are_none():
    with pytest.raises(ConfigError, match=r"LovaszLoss: classes='presnt' must be 'present', 'all' or a list"):
        LovaszLoss(classes="presnt")
    with pytest.raises(ConfigError, match=r"LovaszLoss: classes=\[0, 4\] must lie in \[0, 4\)"):
        LovaszLoss(classes=[0, 4])(torch.zeros(1, 4, 2, 2), torch.zeros(1, 2, 2))
