"""Learning rates, parameter groups, clipping and averages against the reference's numbers."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ssseg.modules import BuildOptimizer, BuildScheduler, EMASegmentor
from tests.golden.fill import stream
from tests.golden.inputs import tiny_model
from tests.unit.optimizers.standins import BEiT, ConvNeXt

GOLDEN = json.loads((Path(__file__).parent / "data" / "schedulers.json").read_text())


def built(model, scheduler, lr, rules):
    optimizer = BuildOptimizer(model, {"type": "SGD", "lr": lr, "weight_decay": 0.0, "params_rules": rules})
    cfg = {"optimizer": {"type": "SGD", "lr": lr}, "lr": lr, "params_rules": rules, **scheduler}
    return optimizer, BuildScheduler(optimizer, cfg)


def by_name(model, optimizer, field):
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {names[p]: group[field] for group in optimizer.param_groups for p in group["params"]}


@pytest.mark.parametrize("case", GOLDEN["traces"])
def test_learning_rates_equal_the_recorded_ones(case):
    entry = GOLDEN["traces"][case]
    model, length = tiny_model("a"), {name: entry[name] for name in ("iters_per_epoch", "max_epochs")}
    for parameter in model.parameters():
        parameter.grad = None
    optimizer, scheduler = built(model, {**entry["scheduler"], **length}, entry["optimizer_lr"], entry["params_rules"])
    if "setstate" in entry:
        scheduler.setstate(entry["setstate"])
    rates, of_groups = [], []
    for epoch in range(entry["start_epoch"], entry["max_epochs"] + 1):
        scheduler.cur_epoch = epoch
        for _ in range(entry["iters_per_epoch"]):
            rates.append(scheduler.updatelr())
            of_groups.append(by_name(model, optimizer, "lr"))
            scheduler.step()
    assert rates == pytest.approx(entry["lr"], rel=1e-7, abs=1e-15)
    for when, got in (("first", of_groups[0]), ("last", of_groups[-1])):
        for name, rate in entry.get(f"group_lrs_{when}", {}).items():
            assert got[name] == pytest.approx(rate, rel=1e-7)
    for name, value in entry["final_state"].items():
        assert getattr(scheduler, name) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("case", GOLDEN["param_groups"])
def test_parameter_groups_equal_the_recorded_ones(case):
    entry = GOLDEN["param_groups"][case]
    model = tiny_model("x", entry["frozen"])
    optimizer = BuildOptimizer(model, entry["optimizer"])
    names = {parameter: name for name, parameter in model.named_parameters()}
    got = [
        ([names[p] for p in group["params"]], group["lr"], group["weight_decay"]) for group in optimizer.param_groups
    ]
    want = [([params] if isinstance(params, str) else params, lr, wd) for params, lr, wd in entry["groups"]]
    assert [group[0] for group in got] == [group[0] for group in want]
    assert [group[1:] for group in got] == [pytest.approx(group[1:], rel=1e-7) for group in want]


@pytest.mark.parametrize("case", GOLDEN["layer_decay"])
def test_layer_decay_equals_the_recorded_rates(case):
    """On stand-ins for the backbones, which have fewer layers than twelve."""
    entry = GOLDEN["layer_decay"][case]
    model = nn.Module()
    model.backbone_net = ConvNeXt() if case.startswith("convnext") else BEiT()
    model.decoder = nn.Conv2d(2, 3, 1)
    optimizer = BuildOptimizer(model, entry["optimizer"])
    got = {group["name"]: [group["lr"], group["weight_decay"]] for group in optimizer.param_groups}
    assert got == {name: pytest.approx(entry["groups"][name], rel=1e-7) for name in got}
    if case.startswith("convnext"):
        assert sorted(got) == sorted(entry["order"])


@pytest.mark.parametrize("case", GOLDEN["clipping"])
def test_clipped_gradients_and_the_step_equal_the_recorded_ones(case):
    entry = GOLDEN["clipping"][case]
    model, clipping = tiny_model(entry["case"]), copy.deepcopy(entry["clipgrad_cfg"])
    if clipping and clipping.get("norm_type") == "inf":
        clipping["norm_type"] = float("inf")
    cfg = {"type": "PolyScheduler", "iters_per_epoch": 10, "max_epochs": 1, "clipgrad_cfg": clipping}
    _, scheduler = built(model, cfg, entry["lr"], entry["params_rules"])
    scheduler.updatelr()
    scheduler.step()
    for name, parameter in model.named_parameters():
        assert float(parameter.grad.norm()) == pytest.approx(entry["grad_norms_after"][name], rel=1e-5)
        assert float(parameter.detach().double().sum()) == pytest.approx(entry["values_sum_after"][name], abs=1e-5)


@pytest.mark.parametrize("case", GOLDEN["ema"])
def test_averages_equal_the_recorded_ones(case):
    """Counters are copied, where the reference averages them and cuts off the fraction."""
    entry = GOLDEN["ema"][case]
    model = tiny_model(entry["case"])
    ema = EMASegmentor(model, momentum=entry["momentum"], device="cpu")
    for step, expected in enumerate(entry["steps"], start=1):
        with torch.no_grad():
            for name, value in model.state_dict().items():
                normal = stream(f"ema:{entry['case']}/{step}/{name}").standard_normal(size=tuple(value.shape))
                value.copy_(
                    torch.from_numpy(np.asarray(normal)) if value.is_floating_point() else torch.tensor(step * 1000)
                )
        ema.update(model)
        got = ema.state()
        assert list(got) == list(expected)
        for name, value in got.items():
            if value.is_floating_point():
                assert value.flatten()[:3].tolist() == pytest.approx(expected[name], rel=1e-5, abs=1e-6)
            else:
                assert value == step * 1000
