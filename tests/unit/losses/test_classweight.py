"""Class weights."""

import pytest
import torch

from ssseg.modules.models.losses import CrossEntropyLoss, FocalLoss, LovaszLoss
from ssseg.modules.models.losses.classweight import weigh_classes
from ssseg.modules.utils import ConfigError


@pytest.mark.parametrize("loss", [CrossEntropyLoss, FocalLoss, LovaszLoss])
def test_another_length_than_there_are_classes_names_both(loss):
    with pytest.raises(
        ConfigError, match=f"{loss.__name__}: class_weight has 3 numbers, but the prediction has 5 classes"
    ):
        loss(class_weight=[1, 2, 3])(torch.zeros(2, 5, 4, 4), torch.zeros(2, 4, 4))


@pytest.mark.parametrize("loss", [CrossEntropyLoss, FocalLoss, LovaszLoss])
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([0, 0.0], "all 2 numbers of class_weight are 0"),
        ([1, -1], r"class_weight=\[1, -1\] must list one number of at least 0 for each class"),
        ([1, float("nan")], "must list one number"),
        ([], "must list one number"),
        (["a"], "must list one number"),
        ("12", "must list one number"),
        (2.0, "must list one number"),
    ],
)
def test_what_is_no_list_of_weights_is_refused(loss, weights, message):
    with pytest.raises(ConfigError, match=f"^{loss.__name__}: .*{message}"):
        loss(class_weight=weights)


def test_weights_multiply_along_the_classes():
    values = torch.ones(2, 3, 4)
    assert weigh_classes(values, torch.tensor([1.0, 2.0, 3.0])).mean(dim=(0, 2)).tolist() == [1, 2, 3]
    assert weigh_classes(values, None) is values
