"""Building losses by name."""

import inspect

import pytest
import torch
from torch import nn

from ssseg.modules import BuildLoss, LossBuilder
from ssseg.modules.models import losses
from ssseg.modules.models.losses import BaseLoss
from ssseg.modules.utils import ConfigError, UnknownNameError


@pytest.fixture
def registry():
    before = dict.copy(LossBuilder.REGISTERED_MODULES)
    yield LossBuilder.REGISTERED_MODULES
    LossBuilder.REGISTERED_MODULES.clear()
    LossBuilder.REGISTERED_MODULES.update(before)


def test_the_documented_losses_are_registered():
    assert list(LossBuilder.REGISTERED_MODULES) == (
        "L1Loss MSELoss FocalLoss CosineSimilarityLoss DiceLoss KLDivLoss LovaszLoss CrossEntropyLoss".split()
    )


@pytest.mark.parametrize("name", LossBuilder.REGISTERED_MODULES)
def test_every_loss_builds_from_its_name_and_shares_the_common_arguments(name):
    loss = BuildLoss({"type": name})
    assert isinstance(loss, BaseLoss)
    assert type(loss) is getattr(losses, name)
    defaults = {key: p.default for key, p in inspect.signature(type(loss)).parameters.items()}
    assert (defaults["scale_factor"], defaults["reduction"], defaults["lowest_loss_value"]) == (1.0, "mean", None)
    assert defaults.get("ignore_index", -100) == -100


def test_a_name_that_does_not_exist():
    with pytest.raises(
        UnknownNameError, match=r"losses'\]\['type'\]: no loss .*'CrossEntropy'.*mean 'CrossEntropyLoss'"
    ):
        BuildLoss({"type": "CrossEntropy"})


def test_a_field_that_does_not_exist():
    with pytest.raises(ConfigError, match=r"\['losses'\]\['ignore_idx'\]: DiceLoss has no .* mean 'ignore_index'"):
        BuildLoss({"type": "DiceLoss", "ignore_idx": 255})


def test_a_users_loss_replaces_a_built_in_one_with_a_warning(registry):
    class KLDivLoss(nn.Module):
        def __init__(self, arg1, arg2):
            super().__init__()
            self.factor = arg1 * arg2

        def forward(self, prediction, target):
            return self.factor * (prediction - target).sum()

    with pytest.warns(UserWarning, match="the loss 'KLDivLoss' was registered already and is replaced"):
        LossBuilder().register("KLDivLoss", KLDivLoss)
    loss = BuildLoss({"type": "KLDivLoss", "arg1": 2, "arg2": 3})
    assert loss(torch.ones(2), torch.zeros(2)).item() == 12
