"""L1, MSE, cosine and KL losses: two tensors of one shape."""

import math

import pytest
import torch

from ssseg.modules.models.losses import CosineSimilarityLoss, KLDivLoss, L1Loss, MSELoss
from ssseg.modules.utils import ConfigError, ShapeError


@pytest.mark.parametrize("loss", [L1Loss, MSELoss, CosineSimilarityLoss, KLDivLoss])
def test_other_shapes_are_refused_rather_than_broadcast(loss):
    message = rf"{loss.__name__}: the prediction is \(2, 3, 4\), the target \(2, 1, 4\); they must agree"
    with pytest.raises(ShapeError, match=message):
        loss()(torch.zeros(2, 3, 4), torch.zeros(2, 1, 4))


@pytest.mark.parametrize("loss", [L1Loss, MSELoss, CosineSimilarityLoss, KLDivLoss])
def test_a_prediction_that_equals_its_target_costs_nothing(loss):
    x = torch.randn(2, 5, 6)
    assert loss()(x, x).item() == pytest.approx(0, abs=1e-6)


def test_l1_and_mse():
    x, y = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([1.0, 4.0, 2.0])
    assert L1Loss(reduction="none")(x, y).tolist() == [0, 2, 3]
    assert MSELoss(reduction="none")(x, y).tolist() == [0, 4, 9]


def test_cosine_does_not_see_lengths():
    x, y = torch.tensor([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]), torch.tensor([[5.0, 0.0], [0.0, 7.0], [-1.0, 0.0]])
    assert CosineSimilarityLoss(reduction="none")(x, y).tolist() == [0, 1, 2]


def test_kldiv_is_the_divergence_from_the_target_to_the_prediction():
    student, teacher = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.9, 0.1]]).log()
    expected = 0.9 * math.log(0.9 / 0.5) + 0.1 * math.log(0.1 / 0.5)
    assert KLDivLoss(reduction="batchmean")(student, teacher).item() == pytest.approx(expected, rel=1e-5)
    assert KLDivLoss()(student, teacher).item() == pytest.approx(expected / 2, rel=1e-5)
    hot = KLDivLoss(reduction="sum", temperature=2.0)(2 * student, 2 * teacher).item()
    assert hot == pytest.approx(4 * expected, rel=1e-5)


@pytest.mark.parametrize("temperature", [0, -1.0])
def test_kldiv_temperature_must_be_above_0(temperature):
    with pytest.raises(ConfigError, match=f"KLDivLoss: temperature={temperature} must be above 0"):
        KLDivLoss(temperature=temperature)
