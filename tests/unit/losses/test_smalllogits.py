"""Losses that resize logits themselves give what they give for resized logits."""

import pytest
import torch
import torch.nn.functional as F

from ssseg.modules.models.losses import CrossEntropyLoss, LossBuilder, calculatelosses, kept_small
from ssseg.modules.utils.errors import ConfigError, LabelError, ShapeError

CE = {"type": "CrossEntropyLoss"}
WEIGHTS = [0.5, 2.0, 0.0, 1.0]
PLAIN = {
    "mean": CE,
    "sum": CE | {"reduction": "sum", "scale_factor": 1e-3},
    "none": CE | {"reduction": "none", "scale_factor": 0.4},
    "weighted": CE | {"class_weight": WEIGHTS, "label_smoothing": 0.1},
    "weighted, divided by the number": CE | {"class_weight": WEIGHTS, "norm_loss_with_class_weight": False},
    "weighted, none": CE | {"class_weight": WEIGHTS, "reduction": "none"},
    "floor": CE | {"lowest_loss_value": 3.0},
    "a class ignored": CE | {"ignore_index": 2},
    "several": [CE, CE | {"class_weight": WEIGHTS, "scale_factor": 0.3}, CE | {"label_smoothing": 0.2}],
}
OTHERS = {
    "sigmoid": CE | {"use_sigmoid": True},
    "none with a floor": CE | {"reduction": "none", "lowest_loss_value": 0.1},
    "dice": {"type": "DiceLoss"},
    "with dice": [CE, {"type": "DiceLoss"}],
    "unknown": {"type": "NoSuchLoss"},
    "nothing": [],
}


@pytest.fixture
def logits():
    return torch.randn(2, 4, 5, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def targets():
    labels = torch.randint(0, 4, (2, 17, 23), generator=torch.Generator().manual_seed(1))
    labels[:, 0] = -100
    return {"seg_targets": labels}


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("name", PLAIN)
def test_equal_those_of_resized_logits(name, align_corners, logits, targets):
    if name == "a class ignored":
        targets["seg_targets"].clamp_(min=0)
    assert kept_small({"loss": logits}, targets, {"loss": PLAIN[name]}, (17, 23)) == {"loss"}
    small, whole = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    ours, _ = calculatelosses({"loss": small}, targets, {"loss": PLAIN[name]}, align_corners=align_corners)
    large = F.interpolate(whole, (17, 23), mode="bilinear", align_corners=align_corners)
    expected, _ = calculatelosses({"loss": large}, targets, {"loss": PLAIN[name]})
    torch.testing.assert_close(ours, expected, rtol=1e-6, atol=0)
    ours.backward()
    expected.backward()
    torch.testing.assert_close(small.grad, whole.grad, rtol=1e-5, atol=1e-6 * float(whole.grad.abs().max()))


@pytest.mark.parametrize("name", OTHERS)
def test_other_losses_get_resized_logits(name, logits, targets):
    assert not kept_small({"loss": logits}, targets, {"loss": OTHERS[name]}, (17, 23))


class MarginLoss(CrossEntropyLoss):
    """A loss of a user's own."""

    def categorical(self, scores, labels):
        return super().categorical(scores - 1, labels) + 1


def test_a_subclass_gets_resized_logits(logits, targets, monkeypatch):
    monkeypatch.setitem(LossBuilder.REGISTERED_MODULES, "MarginLoss", MarginLoss)
    assert not kept_small({"loss": logits}, targets, {"loss": {"type": "MarginLoss"}}, (17, 23))


def test_what_has_the_size_or_another_target_is_left_alone(logits, targets):
    def kept(size=(17, 23), **changes):
        arguments = {"predictions": {"loss": logits}, "annotations": targets, "losses_cfg": {"loss": CE}}
        return kept_small(**{**arguments, **changes}, size=size)

    assert not kept(size=(5, 6))
    assert not kept(size=(17, 24))  # not that of the target
    assert not kept(annotations={"seg_targets": F.one_hot(targets["seg_targets"].clamp(min=0)).movedim(-1, 1)})
    assert not kept(annotations={})
    assert not kept(losses_cfg={"loss_aux": CE})
    assert not kept(predictions={"loss": logits[:, :1]})
    assert not kept(predictions={"loss": torch.randn(2, 4)})
    assert kept(annotations={"loss": targets["seg_targets"]}) == {"loss"}
    assert kept(annotations={"edges": targets["seg_targets"]}, preds_to_tgts_mapping={"loss": "edges"}) == {"loss"}


def test_without_a_valid_pixel_the_mean_is_0(logits, targets):
    leaf = logits.requires_grad_()
    targets["seg_targets"][:] = -100
    loss, _ = calculatelosses({"loss": leaf}, targets, {"loss": CE}, align_corners=False)
    loss.backward()
    assert loss == 0
    assert not leaf.grad.any()


def test_labels_and_weights_are_checked(logits, targets):
    with pytest.raises(ConfigError, match=r"losses'\]\['loss'\].*class_weight has 2 numbers"):
        calculatelosses({"loss": logits}, targets, {"loss": CE | {"class_weight": [1, 2]}}, align_corners=False)
    with pytest.raises(ShapeError, match="fits the prediction"):
        calculatelosses({"loss": logits}, targets, {"loss": CE})  # nobody said how to resize
    targets["seg_targets"][0, 3, 3] = 4
    with pytest.raises(LabelError, match="the labels 4 of 1 pixels"):
        calculatelosses({"loss": logits}, targets, {"loss": CE}, align_corners=False)
