"""One training step: what it changes, and what it refuses to change."""

import copy

import pytest
import torch
from torch import nn

from ssseg.engine.devices import Precision
from ssseg.engine.state import TrainState
from ssseg.engine.step import MAX_SKIPPED, train_step
from ssseg.modules import BuildOptimizer, BuildScheduler, EMASegmentor, SSSegInputStructure, SSSegOutputStructure
from ssseg.modules.utils.errors import CheckpointError, DivergedError

CPU = torch.device("cpu")


class Scorer(nn.Module):
    """Scores pixels with a 1x1 convolution; `spoil` may ruin the loss or a gradient."""

    def __init__(self, spoil=""):
        super().__init__()
        self.layer = nn.Conv2d(3, 2, 1)
        self.spoil = spoil

    def forward(self, data_meta):
        scores = self.layer(data_meta.images)
        cls, aux = (scores**2).mean(), scores.abs().mean()
        if self.spoil == "loss":
            aux = aux * float("nan")
        if self.spoil == "gradient":
            cls = cls + 0 * torch.sqrt(self.layer.bias * 0).sum()  # finite, but its gradient is not
        losses = {"loss_cls": cls.detach(), "loss_aux": aux.detach(), "loss_total": (cls + aux).detach()}
        return SSSegOutputStructure(mode="TRAIN", loss=cls + aux, losses_log_dict=losses)


def made(spoil="", lr=0.1, precision=None, ema=False, optimizer=None):
    model = Scorer(spoil)
    optimizer = BuildOptimizer(model, optimizer or {"type": "SGD", "lr": lr, "params_rules": {}})
    scheduler = BuildScheduler(optimizer, {"type": "PolyScheduler", "lr": lr, "max_epochs": 2, "iters_per_epoch": 200})
    average = EMASegmentor(model, momentum=0.5) if ema else None
    return TrainState(model, optimizer, scheduler, average, precision and precision.scaler, 200, seed=1)


def batch(size=4):
    targets = torch.zeros(size, 2, 2, dtype=torch.int16)
    return SSSegInputStructure(mode="TRAIN", images=torch.rand(size, 3, 2, 2), seg_targets=targets)


def step(state, parts=None, precision=None):
    return train_step(state, state.segmentor, parts or [batch()], precision or Precision(None, CPU), ["a", "b"])


def test_a_step_lowers_the_loss_and_moves_on():
    state, same = made(), batch()
    first = step(state, [same])["loss_total"]
    for _ in range(20):
        last = step(state, [same])["loss_total"]
    assert last < first
    assert (state.iteration, state.scheduler.cur_iter, state.epoch) == (21, 21, 0)
    assert not last.requires_grad


def test_the_rate_is_that_of_the_schedule_whatever_the_groups_multiply_it_by():
    state = made(optimizer={"type": "SGD", "lr": 0.1, "params_rules": {"layer": {"lr_multiplier": 0.1}}})
    step(state)
    assert state.learning_rate == pytest.approx(0.1)
    assert state.optimizer.param_groups[0]["lr"] == pytest.approx(0.01)


def test_a_schedule_may_return_nothing(monkeypatch):
    state = made()
    monkeypatch.setattr(state.scheduler, "updatelr", lambda: None)
    step(state)
    assert state.learning_rate == 0.1
    state.segmentor.spoil = "loss"
    with pytest.raises(DivergedError, match=r"learning rate 0\.1"):
        step(state)


def test_parts_add_up_to_the_whole_batch():
    whole, parted = made(), made()
    parted.segmentor.load_state_dict(whole.segmentor.state_dict())
    images = batch(4)
    losses = step(whole, [images])
    parts = step(parted, [images[:2], images[2:]])
    torch.testing.assert_close(parts, losses)
    torch.testing.assert_close(parted.segmentor.state_dict(), whole.segmentor.state_dict())


@pytest.mark.parametrize(("spoil", "words"), [("loss", "loss_aux not finite"), ("gradient", "gradient of layer.bias")])
def test_numbers_that_are_not_finite_stop_before_the_update(spoil, words):
    state = made(spoil)
    before = copy.deepcopy(state.segmentor.state_dict())
    with pytest.raises(DivergedError, match=rf"{words}.* at iteration 1 \(epoch 1\).*learning rate 0.1; samples a, b"):
        step(state)
    torch.testing.assert_close(state.segmentor.state_dict(), before, rtol=0, atol=0)
    assert state.iteration == 0


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW"])
@pytest.mark.parametrize(("spoil", "words"), [("loss", "loss_aux not finite"), ("gradient", "a gradient is not")])
def test_where_steps_lag_the_update_is_left_out_and_the_next_step_tells(spoil, words, optimizer):
    state = made(optimizer={"type": optimizer, "lr": 0.1, "weight_decay": 0.1})
    state.lags = True
    for _ in range(3):
        step(state)
    before = copy.deepcopy(state.segmentor.state_dict())
    state.segmentor.spoil = spoil
    train_step(state, state.segmentor, [batch()], Precision(None, CPU), ["a", "b"])
    torch.testing.assert_close(state.segmentor.state_dict(), before, rtol=0, atol=0)
    state.segmentor.spoil = ""
    with pytest.raises(DivergedError, match=rf"{words}.* at iteration 4 \(epoch 1\).*samples a, b"):
        train_step(state, state.segmentor, [batch()], Precision(None, CPU), ["c", "d"])
    torch.testing.assert_close(state.segmentor.state_dict(), before, rtol=0, atol=0)


def test_where_steps_lag_nothing_is_saved_after_numbers_that_are_not_finite():
    state = made("loss")
    state.lags = True
    step(state)
    with pytest.raises(DivergedError, match="at iteration 1"):
        state.state_dict()


def test_steps_that_lag_give_the_same_bits():
    states = [made(ema=True), made(ema=True)]
    states[1].lags = True
    states[1].segmentor.load_state_dict(states[0].segmentor.state_dict())
    states[1].ema.setstate(states[0].ema.state())
    for _ in range(4):
        same = batch()
        for state in states:
            step(state, [same])
    torch.testing.assert_close(*[state.state_dict()["model"] for state in states], rtol=0, atol=0)
    torch.testing.assert_close(*[state.ema.state() for state in states], rtol=0, atol=0)


def test_an_optimizer_that_cannot_leave_out_an_update_does_not_lag():
    state = made("loss", optimizer={"type": "RMSprop", "lr": 0.1})
    state.lags = True
    with pytest.raises(DivergedError, match="at iteration 1"):
        step(state)


def test_a_scaler_skips_and_gives_up_in_the_end():
    precision = Precision({"type": "pytorch", "autocast": {"dtype": "float16"}, "grad_scaler": {}}, CPU)
    state = made("gradient", precision=precision)
    before = copy.deepcopy(state.segmentor.state_dict())
    for _ in range(MAX_SKIPPED):
        step(state, precision=precision)
    assert (state.iteration, state.scheduler.cur_iter) == (MAX_SKIPPED, 0)
    torch.testing.assert_close(state.segmentor.state_dict(), before, rtol=0, atol=0)
    with pytest.raises(DivergedError, match="updates in a row overflowed"):
        step(state, precision=precision)


def test_the_average_follows():
    state = made(ema=True)
    start = copy.deepcopy(state.ema.state())
    step(state)
    for name, value in state.segmentor.state_dict().items():
        torch.testing.assert_close(state.ema.state()[name], (start[name] + value) / 2)


def test_a_state_goes_on_where_it_stopped():
    one = made(ema=True)
    parts = [[batch()] for _ in range(4)]
    for part in parts[:2]:
        step(one, part)
    saved = copy.deepcopy(one.state_dict())
    two = made(ema=True)
    two.load_state_dict(saved, "here.pth")
    for part in parts[2:]:
        step(one, part)
        step(two, part)
    assert two.iteration == 4
    torch.testing.assert_close(two.state_dict()["model"], one.state_dict()["model"], rtol=0, atol=0)
    torch.testing.assert_close(two.ema.state(), one.ema.state(), rtol=0, atol=0)


def test_a_reference_checkpoint_goes_on_at_its_epoch():
    state = made()
    saved = copy.deepcopy(state.state_dict())
    del saved["ssseg"]
    saved |= {"cur_epoch": 1, "cur_iter": 200}
    state.load_state_dict(saved, "reference.pth")
    assert (state.iteration, state.epoch, state.scheduler.cur_iter) == (200, 1, 200)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda saved: saved.pop("optimizer"), "without optimizer; it holds cur_epoch, cur_iter, model"),
        (lambda saved: saved["ssseg"].update(format=9), "written in format 9 by ssseg"),
        (lambda saved: saved["model"].pop("layer.bias"), "does not fit the model"),
        (lambda saved: saved["ssseg"]["position"].update(iters_per_epoch=7), "7 iterations an epoch, this one has 200"),
    ],
)
def test_checkpoints_that_do_not_fit(change, words):
    state = made()
    saved = copy.deepcopy(state.state_dict())
    change(saved)
    with pytest.raises(CheckpointError, match=words):
        state.load_state_dict(saved, "here.pth")
