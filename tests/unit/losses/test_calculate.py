"""Adding up the losses of a step."""

import pytest
import torch

from ssseg.modules.models.losses import BuildLoss, calculateloss, calculatelosses
from ssseg.modules.models.samplers import OHEMPixelSampler
from ssseg.modules.utils import ConfigError, LabelError, ShapeError

CE = {"type": "CrossEntropyLoss"}


@pytest.fixture
def logits():
    return torch.randn(2, 4, 5, 6, requires_grad=True)


@pytest.fixture
def labels():
    return torch.randint(0, 4, (2, 5, 6))


def test_a_list_of_losses_is_added(logits, labels):
    cfgs = [CE, {"type": "DiceLoss", "scale_factor": 3.0}]
    expected = calculateloss(logits, labels, cfgs[0]) + calculateloss(logits, labels, cfgs[1])
    torch.testing.assert_close(calculateloss(logits, labels, cfgs), expected)


def test_what_is_not_reduced_is_averaged(logits, labels):
    loss = calculateloss(logits, labels, CE | {"reduction": "none"})
    torch.testing.assert_close(loss, calculateloss(logits, labels, CE))


def test_logged_values_are_detached_tensors(logits, labels):
    total, log = calculatelosses({"loss_cls": logits}, {"seg_targets": labels}, {"loss_cls": CE})
    assert total.requires_grad
    assert list(log) == ["loss_cls", "loss_total"]
    assert all(value.shape == () and not value.requires_grad for value in log.values())
    assert log["loss_total"] == total.detach()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.float32])
def test_labels_of_any_dtype(logits, labels, dtype):
    labels[0, 0] = 255 if dtype == torch.uint8 else -100
    cfg = {"loss_cls": CE | {"ignore_index": int(labels[0, 0, 0])}}
    expected, _ = calculatelosses({"loss_cls": logits}, {"seg_targets": labels}, cfg)
    total, _ = calculatelosses({"loss_cls": logits}, {"seg_targets": labels.to(dtype)}, cfg)
    assert torch.equal(total, expected)


def test_boolean_targets_are_labels_0_and_1():
    logits, edges = torch.randn(2, 2, 5, 6), torch.rand(2, 5, 6) < 0.5
    assert torch.equal(calculateloss(logits, edges, CE), calculateloss(logits, edges.long(), CE))


def test_a_target_of_its_own_comes_first(logits, labels):
    annotations = {"seg_targets": labels, "loss_aux": labels.flip(2)}
    _, log = calculatelosses({"loss_cls": logits, "loss_aux": logits}, annotations, {"loss_cls": CE, "loss_aux": CE})
    torch.testing.assert_close(log["loss_aux"], calculateloss(logits, labels.flip(2), CE).detach())
    torch.testing.assert_close(log["loss_cls"], calculateloss(logits, labels, CE).detach())


def test_a_pixel_sampler_chooses_for_each_prediction(logits, labels):
    sampler = OHEMPixelSampler(min_kept_per_image=7)
    predictions = {"loss_cls": logits, "loss_aux": -logits}
    cfg, mapping = {"loss_cls": CE, "loss_aux": CE}, {"loss_cls": "seg_targets", "loss_aux": "seg_targets"}
    _, log = calculatelosses(predictions, {"seg_targets": labels}, cfg, mapping, pixel_sampler=sampler)
    for name, prediction in predictions.items():
        costs = BuildLoss(CE | {"reduction": "none"})(prediction, labels)
        torch.testing.assert_close(log[name], costs.flatten().topk(14).values.mean().detach())


@pytest.mark.parametrize(
    ("predictions", "losses", "message"),
    [
        (
            ["loss_cls"],
            ["loss_cls", "loss_aux"],
            r"names loss_cls, loss_aux, but .* loss_cls; .*SEGMENTOR_CFG\['auxiliary'\]",
        ),
        (["loss_cls", "loss_aux"], ["loss_cls"], r"names loss_cls, but the predictions are loss_cls, loss_aux;"),
        (["loss_cls"], ["loss_clss"], r"names loss_clss, but the predictions are loss_cls; they must be the same\.$"),
        ([], [], r"names nothing, but the predictions are none"),
    ],
)
def test_other_names_of_predictions_and_losses(logits, labels, predictions, losses, message):
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['losses'\] " + message):
        calculatelosses(dict.fromkeys(predictions, logits), {"seg_targets": labels}, dict.fromkeys(losses, CE))


def test_a_target_that_is_missing(logits, labels):
    predictions, cfg = {"loss_edge": logits}, {"loss_edge": CE}
    with pytest.raises(ConfigError, match=r"'loss_edge' is compared with 'edge_targets'.* Targets: seg_targets"):
        calculatelosses(predictions, {"seg_targets": labels}, cfg, {"loss_edge": "edge_targets"})
    with pytest.raises(ConfigError, match="no entry for the prediction 'loss_edge', only for loss_cls"):
        calculatelosses(predictions, {"seg_targets": labels}, cfg, {"loss_cls": "seg_targets"})


@pytest.mark.parametrize(
    ("cfg", "error", "message"),
    [
        (
            [CE, CE | {"class_weight": [1, 2]}],
            ConfigError,
            r"\['loss_cls'\]\[1\]: CrossEntropyLoss: class_weight has 2",
        ),
        (CE | {"ignore": 255}, ConfigError, r"\['loss_cls'\]\['ignore'\]: CrossEntropyLoss has no such field"),
        ({"type": "DiceLos"}, ConfigError, r"\['loss_cls'\]\['type'\]: .* Did you mean 'DiceLoss'"),
        (
            {"type": "L1Loss"},
            ShapeError,
            r"\['loss_cls'\]: L1Loss: the prediction is \(2, 4, 5, 6\), the target \(2, 5,",
        ),
        (CE | {"ignore_index": 255}, LabelError, r"\['loss_cls'\]: CrossEntropyLoss: the labels -100 of 6 pixels"),
        ([], ConfigError, r"\['loss_cls'\] is an empty list"),
    ],
)
def test_errors_name_the_entry(logits, labels, cfg, error, message):
    labels[0, 0] = -100
    with pytest.raises(error, match=r"SEGMENTOR_CFG\['losses'\]" + message):
        calculatelosses({"loss_cls": logits}, {"seg_targets": labels}, {"loss_cls": cfg})
