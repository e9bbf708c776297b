"""Optimizers that do not import torch's compiler do what torch's do."""

import copy
import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn

from ssseg.modules import BuildOptimizer
from ssseg.modules.models.optimizers.uncompiled import without_compiler

TYPES = ["SGD", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop", "Rprop"]


def trained(optimizer_class, **options):
    """Weights and state after five steps, the last two with what a new optimizer took over from the state."""
    torch.manual_seed(0)
    net = nn.Linear(4, 3)
    optimizer = optimizer_class(net.parameters(), lr=0.1, **options)
    for step in range(5):
        optimizer.zero_grad()
        net(torch.randn(2, 4)).square().sum().backward()
        optimizer.step()
        if step == 2:
            state = copy.deepcopy(optimizer.state_dict())
            optimizer = optimizer_class(net.parameters(), lr=0.1, **options)
            optimizer.load_state_dict(state)
    return list(net.parameters()), optimizer.state_dict()


@pytest.mark.parametrize("name", TYPES)
def test_updates_are_those_of_torch_to_the_bit(name):
    theirs = getattr(torch.optim, name)
    ours = without_compiler(theirs)
    assert ours is not theirs
    assert (ours.__name__, ours.__module__) == (theirs.__name__, theirs.__module__)
    torch.testing.assert_close(trained(ours), trained(theirs), rtol=0, atol=0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
@pytest.mark.parametrize("name", ["SGD", "AdamW"])
def test_copies_go_on_alike(name, copied):
    torch.manual_seed(0)
    net = nn.Linear(4, 3)
    pair = {"net": net, "optimizer": without_compiler(getattr(torch.optim, name))(net.parameters(), lr=0.1)}
    x = torch.randn(2, 4)
    for _ in range(2):
        twin = copied(pair)
        assert type(twin["optimizer"]) is type(pair["optimizer"])
        for each in (pair, twin):
            each["optimizer"].zero_grad()
            each["net"](x).square().sum().backward()
            each["optimizer"].step()
        torch.testing.assert_close(twin["net"].state_dict(), pair["net"].state_dict(), rtol=0, atol=0)


def test_closures_have_gradients():
    weight = nn.Parameter(torch.ones(3))
    optimizer = BuildOptimizer([weight], {"type": "LBFGS", "lr": 0.5})

    def loss():
        optimizer.zero_grad()
        value = (weight - 2).square().sum()
        value.backward()
        return value

    first = optimizer.step(loss)
    assert optimizer.step(loss) < first


def test_differentiable_updates_stay_so():
    weight = torch.ones(3, requires_grad=True)
    moved = weight.clone()
    moved.grad = 2 * weight
    optimizer = BuildOptimizer([moved], {"type": "SGD", "lr": 0.1, "differentiable": True})
    optimizer.step()
    moved.sum().backward()
    torch.testing.assert_close(weight.grad, torch.full((3,), 1 - 0.2))


def test_those_of_others_are_left_alone():
    class Mine(torch.optim.SGD):
        pass

    assert without_compiler(Mine) is Mine
    in_the_package = type("Mine", (), {"__module__": "ssseg.modules.models.optimizers.mine"})
    assert without_compiler(in_the_package) is in_the_package

    def build(params):
        return Mine(params)

    assert without_compiler(build) is build


def test_no_compiler_is_imported():
    code = f"""
import sys
import torch
from ssseg.modules import BuildOptimizer
for name in {[*TYPES, "Muon"]}:
    weight = torch.nn.Parameter(torch.ones(3, 3))
    optimizer = BuildOptimizer([weight], dict(type=name, lr=0.1))
    weight.square().sum().backward()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.zero_grad()
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)
