"""Optimizers are built from their cfg; what cannot work is told with its place."""

import pytest
import torch
from torch import nn
from torch.nn.parallel import DataParallel

from ssseg.modules import BuildOptimizer, OptimizerBuilder
from ssseg.modules.utils import ConfigError, Registry, UnknownNameError

NAMES = "SGD Adam AdamW Adadelta Adagrad SparseAdam Adamax ASGD LBFGS NAdam RAdam RMSprop Rprop".split()
WHERE = r"SEGMENTOR_CFG\['scheduler'\]\['optimizer'\]"


@pytest.mark.parametrize("name", NAMES)
def test_the_documented_optimizers_are_those_of_torch(name):
    model = nn.Linear(2, 3)
    optimizer = BuildOptimizer(model, {"type": name, "lr": 0.5, "params_rules": {}})
    assert isinstance(optimizer, getattr(torch.optim, name))
    (group,) = optimizer.param_groups
    assert group["lr"] == 0.5
    assert all(a is b for a, b in zip(group["params"], model.parameters(), strict=True))


def test_the_tutorials_example_is_built_and_the_cfg_stays_as_it_was():
    cfg = {"type": "SGD", "lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4, "params_rules": {}}
    before = dict(cfg)
    optimizer = BuildOptimizer(nn.Linear(2, 3), cfg)
    assert (optimizer.defaults["momentum"], optimizer.defaults["weight_decay"]) == (0.9, 5e-4)
    assert cfg == before


def test_parameters_can_be_given_in_place_of_a_model():
    model = nn.Linear(2, 3)
    model.bias.requires_grad_(False)
    cfg = {"type": "SGD", "lr": 0.1, "params_rules": {}}
    assert len(BuildOptimizer(model.parameters(), cfg).param_groups[0]["params"]) == 2
    assert len(BuildOptimizer(model.parameters(), {**cfg, "filter_params": True}).param_groups[0]["params"]) == 1
    with pytest.raises(ConfigError, match=rf"{WHERE}: params_rules and base_setting need the model"):
        BuildOptimizer(model.parameters(), {**cfg, "params_rules": {"bias": {"lr_multiplier": 2.0}}})


def test_fused_is_passed_on():
    optimizer = BuildOptimizer(nn.Linear(2, 3), {"type": "AdamW", "lr": 1e-3, "fused": True})
    assert optimizer.param_groups[0]["fused"] is True


def test_rules_multiply_the_optimizers_own_defaults():
    rules = {"weight": {"lr_multiplier": 0.5, "wd_multiplier": 2.0}}
    optimizer = BuildOptimizer(nn.Linear(2, 3), {"type": "AdamW", "params_rules": rules})
    weight, bias = optimizer.param_groups
    assert (weight["lr"], weight["weight_decay"]) == (0.0005, 0.02)
    assert (bias["lr"], bias["weight_decay"]) == (0.001, 0.01)


def test_names_in_groups_are_those_of_the_model_inside_a_parallel_wrapper():
    rules = {"weight": {"lr_multiplier": 0.5}}
    optimizer = BuildOptimizer(DataParallel(nn.Linear(2, 3)), {"type": "SGD", "lr": 1.0, "params_rules": rules})
    assert [group["name"] for group in optimizer.param_groups] == ["weight", "bias"]


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"type": "AdamW", "lr": -1}, rf"{WHERE}\['lr'\]=-1 must be a number, 0 or more"),
        ({"type": "AdamW", "lr": "0.1"}, rf"{WHERE}\['lr'\]='0\.1' must be a number"),
        ({"type": "SGD", "lr": float("nan")}, rf"{WHERE}\['lr'\]=nan must be a number"),
        ({"type": "SGD", "lr": 1, "weight_decay": -0.1}, rf"{WHERE}\['weight_decay'\]=-0\.1 must be"),
        ({"type": "AdamW", "lr": 1, "betas": (2.0, 0.9)}, rf"{WHERE}: AdamW: Invalid beta parameter"),
        ({"type": "SGD", "lr": 1, "momentum": "0.9"}, rf"{WHERE}: SGD: "),
        ({"type": "SGD", "lr": 1, "momentun": 0.9}, rf"{WHERE}\['momentun'\]: .* Did you mean 'momentum'\?"),
        ({"lr": 1}, rf"{WHERE}\['type'\]: no optimizer is called None"),
    ],
)
def test_values_that_cannot_work_are_named(cfg, message):
    with pytest.raises(ConfigError, match=message):
        BuildOptimizer(nn.Linear(2, 3), cfg)


def test_an_unknown_name_is_an_error_with_the_nearest():
    with pytest.raises(UnknownNameError, match=rf"{WHERE}\['type'\]: .* called 'RMSProb'. Did you mean 'RMSprop'\?"):
        BuildOptimizer(nn.Linear(2, 3), {"type": "RMSProb", "lr": 1})


def test_nothing_to_optimize_is_an_error():
    with pytest.raises(ConfigError, match=rf"{WHERE}: there is no parameter to optimize"):
        BuildOptimizer(nn.ReLU(), {"type": "SGD", "lr": 1})


def test_an_optimizer_of_the_users_takes_a_name_that_is_taken(monkeypatch):
    monkeypatch.setattr(OptimizerBuilder, "REGISTERED_MODULES", Registry(SGD=torch.optim.SGD))

    class SGD(torch.optim.SGD):
        """Mine."""

    with pytest.warns(UserWarning, match="the optimizer 'SGD' was registered already and is replaced"):
        OptimizerBuilder().register("SGD", SGD)
    assert type(BuildOptimizer(nn.Linear(2, 3), {"type": "SGD", "lr": 1})) is SGD
