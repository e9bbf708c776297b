"""Cross entropy."""

import pytest
import torch
import torch.nn.functional as F

from ssseg.modules.models.losses import CrossEntropyLoss
from ssseg.modules.utils import ConfigError


def test_soft_target_is_the_cross_entropy_of_two_distributions():
    logits, target = torch.randn(2, 5, 6, 7), torch.rand(2, 5, 6, 7).softmax(dim=1)
    expected = F.cross_entropy(logits, target)
    torch.testing.assert_close(CrossEntropyLoss()(logits, target), expected)
    smooth = F.cross_entropy(logits, target, label_smoothing=0.1)
    torch.testing.assert_close(CrossEntropyLoss(label_smoothing=0.1)(logits, target), smooth)
    weight = [0.2, 1.0, 0.7, 1.5, 0.4]
    weighted = F.cross_entropy(logits, target, weight=torch.tensor(weight), reduction="sum")
    torch.testing.assert_close(CrossEntropyLoss(class_weight=weight, reduction="sum")(logits, target), weighted)


def test_soft_target_is_cheapest_where_the_prediction_equals_it():
    target = torch.tensor([[0.2, 0.5, 0.3]])
    logits = target.log().requires_grad_()
    CrossEntropyLoss()(logits, target).backward()
    torch.testing.assert_close(logits.grad, torch.zeros(1, 3), atol=1e-7, rtol=0)


@pytest.mark.parametrize("class_weight", [None, [0.5, 1.0, 2.0]])
def test_label_smoothing_of_labels_and_of_one_hot_targets_agree(class_weight):
    logits, labels = torch.randn(4, 3, 9), torch.randint(0, 3, (4, 9))
    loss = CrossEntropyLoss(label_smoothing=0.2, class_weight=class_weight)
    torch.testing.assert_close(loss(logits, F.one_hot(labels, 3).movedim(-1, 1)), loss(logits, labels))


@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_label_smoothing_outside_its_range(value):
    with pytest.raises(ConfigError, match=rf"CrossEntropyLoss: label_smoothing={value} must lie in \[0, 1\]"):
        CrossEntropyLoss(label_smoothing=value)


def test_no_one_hot_target_is_made_of_labels():
    """With 150 classes, what is kept for the backward pass is the softmax and next to nothing else."""
    logits, labels = torch.randn(1, 150, 32, 32, requires_grad=True), torch.randint(0, 150, (1, 32, 32)).short()
    kept = {}

    def keep(tensor):
        kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        CrossEntropyLoss(class_weight=[1.0] * 150)(logits, labels)
    assert logits.numel() * 4 <= sum(kept.values()) < 1.1 * logits.numel() * 4
