"""Updates of all parameters in one kernel, and of all groups that are alike at once."""

import copy
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from ssseg.modules import BuildOptimizer, BuildScheduler
from ssseg.modules.models.optimizers.joining import joined_groups
from ssseg.modules.utils.checkpoint import load_optimizer

RULES = {"0": {"lr_multiplier": 10.0}, "bias": {"wd_multiplier": 0.0}}
CFGS = [
    {"type": "SGD", "lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    {"type": "Adam", "lr": 0.01, "weight_decay": 0.01, "amsgrad": True},
    {"type": "AdamW", "lr": 0.01, "weight_decay": 0.1},
]


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.BatchNorm2d(5), nn.Conv2d(5, 4, 1), nn.Conv2d(4, 4, 1))


def trained(cfg, steps=5, optimizer=None, net=None):
    net = net or model()
    optimizer = optimizer or BuildOptimizer(net, cfg)
    scheduler = BuildScheduler(optimizer, {"type": "PolyScheduler", "max_epochs": 1, "iters_per_epoch": 10})
    generator = torch.Generator().manual_seed(1)  # gradients do not depend on what the updates round
    for _ in range(steps):
        scheduler.updatelr()
        for parameter in net.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        scheduler.step()
    return net, optimizer


@pytest.mark.parametrize("cfg", CFGS, ids=lambda cfg: cfg["type"])
@pytest.mark.parametrize("rules", [{}, RULES], ids=["one group", "rules"])
def test_fused_updates_equal_those_of_a_loop(cfg, rules):
    fused, optimizer = trained({**cfg, "params_rules": rules})
    assert all(group["fused"] for group in optimizer.param_groups)
    loop, optimizer = trained({**cfg, "params_rules": rules, "fused": False, "foreach": False})
    assert not any(group["fused"] for group in optimizer.param_groups)
    torch.testing.assert_close(fused.state_dict(), loop.state_dict(), rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("field", ["fused", "foreach", "capturable"])
def test_a_cfg_that_chooses_is_left_alone(field):
    optimizer = BuildOptimizer(model(), {"type": "AdamW", "lr": 0.1, "params_rules": {}, field: False})
    assert not optimizer.param_groups[0]["fused"]


def test_optimizers_without_a_kernel_are_built_as_before():
    assert "fused" not in BuildOptimizer(model(), {"type": "RMSprop", "lr": 0.1, "params_rules": {}}).defaults


@pytest.mark.parametrize("cfg", [*CFGS, {"type": "Muon", "lr": 0.02}], ids=lambda cfg: cfg["type"])
def test_joined_groups_change_no_bit_and_are_taken_apart_again(cfg, monkeypatch):
    cfg = {**cfg, "params_rules": RULES}
    joined, optimizer = trained(cfg)
    names = [group.get("name") for group in optimizer.param_groups]
    with joined_groups(optimizer):
        inside = len(optimizer.param_groups)
        assert inside < len(names)
        held = [p for group in optimizer.param_groups for p in group["params"]]
    assert len(set(held)) == len(list(joined.parameters()))
    assert [group.get("name") for group in optimizer.param_groups] == names
    monkeypatch.setattr("ssseg.modules.models.schedulers.basescheduler.joined_groups", lambda _: nullcontext())
    apart, _ = trained(cfg)
    torch.testing.assert_close(joined.state_dict(), apart.state_dict(), rtol=0, atol=0)


def test_groups_of_an_optimizer_that_nobody_knows_stay():
    class Own(torch.optim.SGD):
        __module__ = "elsewhere"

    parameters = list(model().parameters())
    optimizer = Own([{"params": [p]} for p in parameters], lr=0.1)
    with joined_groups(optimizer):
        assert len(optimizer.param_groups) == len(parameters)


@pytest.mark.parametrize("cfg", CFGS, ids=lambda cfg: cfg["type"])
def test_a_run_goes_on_to_the_bit_and_in_its_own_way_of_computing(cfg):
    cfg = {**cfg, "params_rules": RULES}
    net, optimizer = trained(cfg)
    saved = copy.deepcopy((net.state_dict(), optimizer.state_dict()))
    trained(cfg, 3, optimizer, net)
    other = model()
    other.load_state_dict(saved[0])
    for group in saved[1]["param_groups"]:
        group["fused"] = None  # as SSSegmentation and older versions save it
    fresh = BuildOptimizer(other, cfg)
    load_optimizer(fresh, saved[1], source="here")
    assert all(group["fused"] for group in fresh.param_groups)
    trained(cfg, 3, fresh, other)
    torch.testing.assert_close(other.state_dict(), net.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize(
    "options", [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "dampening": 0.5}]
)
def test_a_parameter_that_gets_its_first_gradient_late(options):
    def run(**more):
        first, late = (nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
        optimizer = BuildOptimizer([first, late], {"type": "SGD", "lr": 0.1, "weight_decay": 0.01, **options, **more})
        for iteration in range(4):
            first.grad = first.detach() * 0.5
            late.grad = late.detach() * 0.5 if iteration >= 2 else None
            optimizer.step()
        return torch.stack([first, late])

    torch.testing.assert_close(run(), run(fused=False, foreach=False), rtol=2e-6, atol=1e-7)
