"""Every registered segmentor goes on from a checkpoint as if it had never stopped, to the last bit."""

import pytest
import torch

from ssseg.engine.devices import Precision
from ssseg.engine.state import TrainState
from ssseg.engine.step import train_step
from ssseg.modules import BuildOptimizer, BuildScheduler, BuildSegmentor, EMASegmentor
from ssseg.modules.utils.checkpoint import loadckpts, saveckpts
from tests.contracts.small_cfgs import small
from tests.contracts.test_segmentors import NAMES, sample


def start(name):
    """A run of `name`: random weights, momentum, a schedule and an average."""
    segmentor = BuildSegmentor(small(name), "TRAIN").train()
    optimizer = BuildOptimizer(segmentor, {"type": "SGD", "lr": 0.01, "momentum": 0.9, "params_rules": {}})
    schedule = {"type": "PolyScheduler", "lr": 0.01, "max_epochs": 2, "iters_per_epoch": 2}
    return TrainState(segmentor, optimizer, BuildScheduler(optimizer, schedule), EMASegmentor(segmentor, 0.5), None, 2)


def step(state, batch):
    return train_step(state, state.segmentor, [batch], Precision(None, torch.device("cpu")), ["a", "b"])


def resumed(name, entries, path):
    saveckpts(entries, path, make_soft_link=False)
    state = start(name)
    state.load_state_dict(loadckpts(path), path.name)
    return state


@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_step_is_the_uninterrupted_one(name, tmp_path):
    batches = [sample() for _ in range(3)]
    whole = start(name)
    for batch in batches[:2]:
        step(whole, batch)
    again = resumed(name, whole.state_dict(), tmp_path / "x.pth")
    losses = step(whole, batches[2])
    assert step(again, batches[2]) == losses
    for part in ("model", "model_ema", "optimizer", "cur_epoch", "cur_iter"):
        torch.testing.assert_close(again.state_dict()[part], whole.state_dict()[part], rtol=0, atol=0)
