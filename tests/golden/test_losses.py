"""Losses and their gradients against the reference's numbers."""

import copy
import json
from pathlib import Path

import pytest
import torch

from ssseg.modules import BuildLoss
from ssseg.modules.models.losses import calculatelosses
from tests.golden.fill import stream
from tests.golden.inputs import loss_inputs

GOLDEN = json.loads((Path(__file__).parent / "data" / "losses.json").read_text())


def digest(case: str, tensor: torch.Tensor) -> list[float]:
    probe = torch.from_numpy(stream(f"probe:{case}").standard_normal(size=tuple(tensor.shape)))
    return [float((tensor.double() * probe).sum()), float(tensor.double().abs().sum())]


@pytest.mark.parametrize("case", GOLDEN["cases"])
def test_loss_and_gradient_equal_the_recorded_ones(case):
    entry = GOLDEN["cases"][case]
    prediction, target, weight = loss_inputs(case, entry["inputs"])
    prediction.requires_grad_()
    given = prediction.sigmoid() if case.startswith("lovasz_hinge") else prediction
    loss = BuildLoss(entry["loss"])(given, target, *([] if weight is None else [weight]))
    loss.sum().backward()
    assert list(loss.shape) == entry["shape"]
    for what, tensor in (("value", loss.detach()), ("gradient", prediction.grad)):
        scale = entry[what][1]
        torch.testing.assert_close(digest(case, tensor), entry[what], rtol=0, atol=2e-5 * scale + 1e-7)


@pytest.mark.parametrize("case", GOLDEN["calculatelosses"])
def test_calculatelosses_equals_the_recorded_sums(case):
    entry = GOLDEN["calculatelosses"][case]
    predictions = {
        key: torch.from_numpy(stream(f"src:{case}/{key}").standard_normal(size=shape)).float().requires_grad_()
        for key, shape in entry["predictions"].items()
    }
    annotations = {
        key: torch.from_numpy(stream(f"tgt:{case}/{key}").randint(0, 2 if key == "edge_targets" else 4, size=shape))
        for key, shape in entry["annotations"].items()
    }
    cfg = copy.deepcopy(entry["losses"])
    total, log = calculatelosses(predictions, annotations, cfg, preds_to_tgts_mapping=entry["preds_to_tgts_mapping"])
    total.backward()
    assert float(total.detach()) == pytest.approx(entry["total"], rel=1e-5)
    assert {name: float(value) for name, value in log.items()} == pytest.approx(entry["log"], rel=1e-5)
    gradients = {name: float(p.grad.abs().sum()) for name, p in predictions.items()}
    assert gradients == pytest.approx(entry["grad_abs_sum"], rel=1e-5)
    assert cfg == entry["losses"]
