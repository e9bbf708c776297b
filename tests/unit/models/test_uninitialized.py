"""Networks built without random weights."""

import torch
from torch import nn

from ssseg.modules.models.uninitialized import Uninitialized


def test_the_generator_is_left_alone_and_constants_are_made():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with Uninitialized():
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 2), nn.Embedding(3, 4))
        nn.init.trunc_normal_(net[2].weight, std=0.02)
        nn.init.xavier_uniform_(net[2].weight)
    assert torch.equal(torch.get_rng_state(), before)
    assert net[1].weight.tolist() == [1] * 8
    assert [tuple(p.shape) for p in net[0].parameters()] == [(8, 3, 3, 3), (8,)]
    assert all(p.requires_grad for p in net.parameters())


def test_what_is_no_parameter_is_drawn():
    with Uninitialized():
        values = torch.empty(1000).normal_()
        nn.init.uniform_(extra := torch.empty(1000), 2, 3)
    assert 0.8 < values.std() < 1.2
    assert bool(((extra >= 2) & (extra <= 3)).all())


def test_outside_parameters_are_drawn_again():
    with Uninitialized():
        nn.Linear(2, 2)
    assert 0 < nn.Linear(100, 100).weight.detach().std() < 1
