"""What cross entropy and focal loss share."""

import pytest
import torch
import torch.nn.functional as F

from ssseg.modules.models.losses import CrossEntropyLoss, FocalLoss
from ssseg.modules.utils import ShapeError

BOTH = pytest.mark.parametrize("loss", [CrossEntropyLoss, FocalLoss])
FORMS = pytest.mark.parametrize("use_sigmoid", [False, True])
WEIGHTS = [0.2, 1.0, 0.7, 1.5, 0.4]


@pytest.fixture
def logits():
    return torch.randn(2, 5, 6, 7)


@pytest.fixture
def labels():
    labels = torch.randint(0, 5, (2, 6, 7))
    labels[0, 0] = labels[1, :, 2] = -100
    return labels


@BOTH
@FORMS
@pytest.mark.parametrize("size", [(24, 5), (3, 5, 8), (2, 5, 6, 7)])
def test_none_keeps_the_pixels_and_is_zero_where_ignored(loss, use_sigmoid, size):
    logits, labels = torch.randn(size), torch.randint(0, 5, size[:1] + size[2:])
    labels[0] = -100
    each = loss(use_sigmoid=use_sigmoid, reduction="none")(logits, labels)
    assert each.shape == (logits.shape if use_sigmoid else labels.shape)
    assert torch.equal(each[0], torch.zeros_like(each[0]))
    torch.testing.assert_close(each.sum(), loss(use_sigmoid=use_sigmoid, reduction="sum")(logits, labels))
    mean = each.sum() / ((labels >= 0).sum() * (5 if use_sigmoid else 1))
    torch.testing.assert_close(mean, loss(use_sigmoid=use_sigmoid)(logits, labels))


@BOTH
@FORMS
@pytest.mark.parametrize("class_weight", [None, WEIGHTS])
def test_a_one_hot_target_costs_what_its_labels_cost(loss, use_sigmoid, class_weight, logits, labels):
    labels = labels.clamp(min=0)
    one_hot = F.one_hot(labels, 5).movedim(-1, 1)
    criterion = loss(use_sigmoid=use_sigmoid, class_weight=class_weight)
    torch.testing.assert_close(criterion(logits, one_hot), criterion(logits, labels))


@BOTH
@FORMS
def test_dense_target_with_ignored_channel_and_class_weight(loss, use_sigmoid, logits, labels):
    one_hot = F.one_hot(labels.clamp(min=0), 5).movedim(-1, 1)
    kept = [0, 1, 3, 4]
    whole = loss(use_sigmoid=use_sigmoid, class_weight=WEIGHTS, ignore_index=2)(logits, one_hot)
    cut = loss(use_sigmoid=use_sigmoid, class_weight=[WEIGHTS[c] for c in kept])(logits[:, kept], one_hot[:, kept])
    torch.testing.assert_close(whole, cut)


@BOTH
def test_class_weight_divides_by_the_weights_of_the_targets(loss, logits, labels):
    each = loss(use_sigmoid=False, reduction="none")(logits, labels)
    weight = torch.tensor(WEIGHTS)[labels.clamp(min=0)] * (labels >= 0)
    normed = loss(use_sigmoid=False, class_weight=WEIGHTS)(logits, labels)
    torch.testing.assert_close(normed, (each * weight).sum() / weight.sum())
    plain = loss(use_sigmoid=False, class_weight=WEIGHTS, norm_loss_with_class_weight=False)(logits, labels)
    torch.testing.assert_close(plain, (each * weight).sum() / (labels >= 0).sum())


@BOTH
def test_only_classes_of_weight_zero_cost_nothing(loss, logits):
    logits.requires_grad_()
    result = loss(use_sigmoid=False, class_weight=[1, 0, 0, 0, 0])(logits, torch.full((2, 6, 7), 3))
    result.backward()
    assert result.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@BOTH
@FORMS
def test_pixel_weights_with_and_without_the_axis_of_classes(loss, use_sigmoid, logits, labels):
    weight = torch.rand(2, 6, 7)
    criterion = loss(use_sigmoid=use_sigmoid, reduction="none")
    each = criterion(logits, labels)
    expected = each * (weight.unsqueeze(1) if use_sigmoid else weight)
    torch.testing.assert_close(criterion(logits, labels, weight), expected)
    torch.testing.assert_close(criterion(logits, labels, weight.unsqueeze(1)), expected)


@BOTH
@pytest.mark.parametrize("target", [(2, 6, 7), (2, 1, 6, 7)])
def test_softmax_needs_more_than_one_channel(loss, target):
    with pytest.raises(
        ShapeError, match=rf"{loss.__name__}: a softmax over the one channel of \(2, 1, 6, 7\).*use_sigmoid"
    ):
        loss(use_sigmoid=False)(torch.zeros(2, 1, 6, 7), torch.zeros(target))
