"""Reading targets."""

import pytest
import torch

from ssseg.modules.models.losses import CrossEntropyLoss, DiceLoss, FocalLoss, LovaszLoss
from ssseg.modules.models.losses.targets import is_dense, one_hot, read_labels, without_channel
from ssseg.modules.utils import LabelError, ShapeError

LOSSES = [CrossEntropyLoss, FocalLoss, DiceLoss, LovaszLoss]


def test_a_target_has_labels_or_a_value_for_each_class():
    scores = torch.zeros(2, 3, 4, 5)
    assert is_dense("x", scores, torch.zeros(2, 3, 4, 5))
    assert not is_dense("x", scores, torch.zeros(2, 4, 5))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", [(2, 1, 4, 5), (2, 5, 4), (4, 5), (3, 4, 5), ()])
def test_other_shapes_are_refused(loss, shape):
    message = (
        rf"{loss.__name__}: the target \({', '.join(map(str, shape))}\) fits the prediction \(2, 3, 4, 5\) neither"
    )
    with pytest.raises(ShapeError, match=message):
        loss()(torch.zeros(2, 3, 4, 5), torch.zeros(shape, dtype=torch.long))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", [torch.int16, torch.int64, torch.float32])
def test_labels_outside_the_classes_are_named(loss, dtype):
    target = torch.zeros(1, 4, 4)
    target[0, 0, :3] = torch.tensor([7, -2, 7])
    with pytest.raises(
        LabelError,
        match=f"{loss.__name__}: the labels -2, 7 of 3 pixels are outside the 5 classes and not ignore_index=255",
    ):
        loss(ignore_index=255)(torch.zeros(1, 5, 4, 4), target.to(dtype))


@pytest.mark.parametrize("loss", LOSSES)
def test_the_label_after_the_last_class_is_outside(loss):
    with pytest.raises(LabelError, match="the labels 5 of 16 pixels"):
        loss()(torch.zeros(1, 5, 4, 4), torch.full((1, 4, 4), 5))


@pytest.mark.parametrize(("label", "ignored"), [(255, -100), (-100, 255)])
def test_what_is_often_ignored_hints_at_ignore_index(label, ignored):
    message = rf"labels {label} of 16 pixels .*\. ignore_index={label} would leave {label} out\."
    with pytest.raises(LabelError, match=message):
        CrossEntropyLoss(ignore_index=ignored)(torch.zeros(1, 5, 4, 4), torch.full((1, 4, 4), label))


@pytest.mark.parametrize(
    ("value", "message"), [(1.5, "1.5 of 1 pixels are not whole"), (float("nan"), "nan of 1 pixels")]
)
def test_labels_that_are_no_whole_numbers(value, message):
    target = torch.zeros(1, 4, 4)
    target[0, 1, 1] = value
    with pytest.raises(LabelError, match=f"CrossEntropyLoss: the labels {message}"):
        CrossEntropyLoss()(torch.zeros(1, 5, 4, 4), target)


def test_one_channel_has_two_classes():
    scores = torch.zeros(1, 1, 2)
    labels, valid = read_labels("x", scores, torch.tensor([[1, 0]]), -100)
    assert one_hot(labels, valid, 1).tolist() == [[[True, False]]]
    with pytest.raises(LabelError, match="the labels 2 of 1 pixels are outside the 2 classes"):
        read_labels("x", scores, torch.tensor([[2, 0]]), -100)


def test_one_hot_leaves_ignored_pixels_empty():
    labels = torch.tensor([[0, 2, 1, 2]])
    assert one_hot(labels, labels != 2, 3)[0].int().tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(("index", "left"), [(0, [1, 2]), (1, [0, 2]), (2, [0, 1]), (3, [0, 1, 2]), (-100, [0, 1, 2])])
def test_without_channel(index, left):
    assert without_channel(torch.arange(3).view(1, 3), index)[0].tolist() == left


@pytest.mark.parametrize("loss", LOSSES)
def test_predictions_without_an_axis_of_classes_are_refused(loss):
    with pytest.raises(ShapeError, match=rf"{loss.__name__}: the target \(4,\) fits the prediction \(4,\) neither"):
        loss()(torch.zeros(4), torch.zeros(4))
