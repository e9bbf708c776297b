"""Group H of docs/reliability.md: numbers that are not finite, schedules at their ends, runs that must be equal."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ssseg.engine.devices import Precision
from ssseg.engine.runlog import read_log
from ssseg.engine.state import TrainState
from ssseg.engine.step import MAX_SKIPPED, train_step
from ssseg.engine.tester import evaluate_checkpoint
from ssseg.engine.trainer import train
from ssseg.modules import (
    BuildLoss,
    BuildOptimizer,
    BuildScheduler,
    BuildSegmentor,
    LossBuilder,
    SSSegInputStructure,
    SSSegOutputStructure,
    loadckpts,
)
from ssseg.modules.models.losses.celoss import CrossEntropyLoss
from ssseg.modules.models.segmentors.base.windows import Windows, score_windows
from ssseg.modules.models.upsampling.resize import resize_like
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ConfigError, DivergedError
from tests.contracts.small_cfgs import small
from tests.faults.screen import run_command
from tests.tiny import write_config

CPU = torch.device("cpu")
LOSSES = sorted(LossBuilder.REGISTERED_MODULES)
OVER_VALUES = ("L1Loss", "MSELoss", "CosineSimilarityLoss", "KLDivLoss")
CLASSES = 3


class Scorer(nn.Module):
    """Two predictions, compared with the targets by two losses of one kind; `spoil` may change the second."""

    def __init__(self, loss, spoil=lambda value, step: value):
        super().__init__()
        self.layer, self.other = nn.Conv2d(3, CLASSES, 1), nn.Conv2d(3, CLASSES, 1)
        self.loss, self.values, self.spoil, self.calls = BuildLoss({"type": loss}), loss in OVER_VALUES, spoil, 0

    def forward(self, data_meta):
        self.calls += 1
        target = data_meta.images.roll(1, dims=1) if self.values else data_meta.seg_targets
        losses = {
            "loss_cls": self.loss(self.layer(data_meta.images), target),
            "loss_aux": self.spoil(self.loss(self.other(data_meta.images), target), self),
        }
        total = sum(losses.values())
        logged = {name: value.detach() for name, value in {**losses, "loss_total": total}.items()}
        return SSSegOutputStructure(mode="TRAIN", loss=total, losses_log_dict=logged)


def state_of(model, scaler=None):
    optimizer = BuildOptimizer(model, {"type": "AdamW", "lr": 0.01, "params_rules": {}})
    scheduler = BuildScheduler(
        optimizer, {"type": "PolyScheduler", "lr": 0.01, "max_epochs": 2, "iters_per_epoch": 200}
    )
    return TrainState(model, optimizer, scheduler, None, scaler, 200, seed=1)


def step(state, precision=None):
    targets = torch.randint(0, CLASSES, (2, 4, 4))
    batch = SSSegInputStructure(mode="TRAIN", images=torch.rand(2, 3, 4, 4), seg_targets=targets)
    return train_step(state, state.segmentor, [batch], precision or Precision(None, CPU), ["one", "two"])


def steps_until_it_stops(state):
    """Take three steps, of which the last must fail and change nothing; return the message."""
    step(state)
    step(state)
    before = {name: value.clone() for name, value in state.segmentor.state_dict().items()}
    with pytest.raises(DivergedError) as caught:
        step(state)
    for name, value in state.segmentor.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert state.iteration == 2
    return str(caught.value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("loss", LOSSES)
def test_N01_a_loss_that_is_not_finite_stops_before_the_update_and_is_named(loss, value):
    def spoil(term, model):
        return term * value if model.calls == 3 else term

    text = steps_until_it_stops(state_of(Scorer(loss, spoil)))
    assert text.startswith("loss_aux not finite at iteration 3 (epoch 1): ")
    assert "samples one, two" in text
    assert "learning rate 0.00" in text


@pytest.mark.parametrize("loss", LOSSES)
def test_N02_a_gradient_that_is_not_finite_stops_before_the_update_and_names_the_parameter(loss):
    def spoil(term, model):
        hidden = torch.sqrt(model.other.bias * 0).sum() * 0  # 0, with the gradient 0 * inf
        return term + hidden if model.calls == 3 else term

    text = steps_until_it_stops(state_of(Scorer(loss, spoil)))
    assert text.startswith("the gradient of other.bias is not finite at iteration 3 (epoch 1): ")
    assert "samples one, two" in text


class Diverging(CrossEntropyLoss):
    """Is NaN from its fifth call on, or has such a gradient."""

    calls, of_gradient = 0, False

    def forward(self, x_src, x_tgt, weight=None):
        type(self).calls += 1
        loss = super().forward(x_src, x_tgt, weight)
        if self.calls < 5:
            return loss
        return loss + torch.sqrt(x_src * 0).sum() * 0 if self.of_gradient else loss * math.nan


@pytest.fixture
def diverging(monkeypatch):
    monkeypatch.setattr(Diverging, "calls", 0)
    LossBuilder().register("Diverging", Diverging)
    yield Diverging
    LossBuilder().delete("Diverging")


@pytest.mark.parametrize("of_gradient", [False, True], ids=["N01", "N02"])
def test_N01_N02_a_run_ends_with_6_and_says_where_to_go_on(of_gradient, diverging, own, capsys, monkeypatch):
    _, config = own
    monkeypatch.setattr(diverging, "of_gradient", of_gradient)
    work_dir = config.parent / "run"
    options = ["losses.loss_cls.type=Diverging", "scheduler.max_epochs=4", "runtime.dump_batch=True"]
    code, _, err = run_command(capsys, "train", config, *options)
    assert code == 6
    assert "at iteration 5 (epoch 3)" in err
    assert ("the gradient of " if of_gradient else "loss_cls not finite") in err
    assert f"The last checkpoint is {work_dir.resolve()}/checkpoints-epoch-2.pth." in err
    assert f"The batch is in {work_dir}/diverged-rank0.pth." in err
    good = loadckpts(work_dir / "checkpoints-epoch-latest.pth")
    assert all(bool(torch.isfinite(weight.float()).all()) for weight in good["model"].values())
    dumped = loadckpts(work_dir / "diverged-rank0.pth")
    assert len(dumped["ids"]) == len(dumped["parts"][0]["images"]) == 4
    assert all(f"{imageid}" in err for imageid in dumped["ids"])


class Scaler:
    """Behaves as a GradScaler whose gradients overflow at the given calls."""

    def __init__(self, overflows):
        self.overflows, self.calls, self.factor = overflows, 0, 8.0

    def scale(self, loss):
        return loss

    def unscale_(self, optimizer):
        pass

    def get_scale(self):
        return self.factor

    def step(self, optimizer):
        self.calls += 1
        if not self.overflows(self.calls):
            optimizer.step()

    def update(self):
        if self.overflows(self.calls):
            self.factor /= 2


def with_scaler(overflows):
    precision = Precision(None, CPU)
    precision.scaler = Scaler(overflows)
    return state_of(Scorer("CrossEntropyLoss"), precision.scaler), precision


def test_N03_skipped_steps_do_not_advance_the_schedule():
    state, precision = with_scaler(lambda call: call % 3 == 0)
    rates = []
    for _ in range(12):
        step(state, precision)
        rates.append(state.optimizer.param_groups[0]["lr"])
    assert (state.iteration, state.scheduler.cur_iter, state.skipped) == (12, 8, 1)
    assert rates[3] == rates[2] > rates[4]


def test_N03_more_than_a_hundred_in_a_row_are_an_error():
    state, precision = with_scaler(lambda call: call > 1)
    for _ in range(1 + MAX_SKIPPED):
        step(state, precision)
    assert MAX_SKIPPED == 100
    with pytest.raises(DivergedError, match=r"101 updates in a row overflowed.*at iteration 102.*samples one, two"):
        step(state, precision)


@pytest.mark.parametrize("loss", LOSSES)
@given(
    values=st.lists(st.sampled_from([-1e4, -1.0, 0.0, 1e-30, 1.0, 1e4]), min_size=24, max_size=24),
    label=st.sampled_from([*range(CLASSES), None]),
    scale=st.sampled_from([1.0, 1e30]),
)
def test_N04_extreme_logits_have_finite_losses_and_gradients(loss, values, label, scale):
    logits = torch.tensor(values).view(2, CLASSES, 2, 2).requires_grad_()
    labels = (torch.arange(8) % CLASSES if label is None else torch.full((8,), label)).view(2, 2, 2)
    target = logits.detach().flip(2) if loss in OVER_VALUES else labels
    value = BuildLoss({"type": loss, "scale_factor": scale})(logits, target)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()


def schedule(name, **fields):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    return BuildScheduler(optimizer, {"type": name, "max_epochs": 4, "iters_per_epoch": 5, "min_lr": 0.001, **fields})


@pytest.mark.parametrize("power", [0.9, 1, 2.5])
@pytest.mark.parametrize("name", ["PolyScheduler", "CosineScheduler", "OneCycleScheduler"])
def test_N05_past_its_end_a_schedule_stays_at_its_lowest_rate(name, power):
    scheduler = schedule(name, **({"power": power} if name == "PolyScheduler" else {}))
    for position in (20, 21, 40):
        scheduler.cur_iter, scheduler.cur_epoch = position, position // 5 + 1
        rate = scheduler.updatelr()
        assert isinstance(rate, float)
        assert rate == pytest.approx(0.001)


@pytest.mark.parametrize("warmup", [{"iters": 0}, {"iters": 1}, {"iters": 500}, {"epochs": 0}, {"epochs": 50}])
@pytest.mark.parametrize("kind", ["constant", "linear", "exp"])
def test_N06_a_warm_up_of_any_length_is_defined(kind, warmup):
    scheduler = schedule("PolyScheduler", warmup_cfg={"type": kind, "ratio": 0.01, **warmup})
    plain = schedule("PolyScheduler")
    for position in range(25):
        for each in (scheduler, plain):
            each.cur_iter, each.cur_epoch = position, position // 5 + 1
        rate, regular = scheduler.updatelr(), plain.updatelr()
        assert 0 < rate <= regular * (1 + 1e-9)
        assert 0 not in warmup.values() or rate == regular


def test_N07_one_value_a_channel_names_the_layer_and_the_cure(own, capsys):
    _, config = own
    head = "head={'in_channels': 64, 'feats_channels': 8, 'pool_scales': [1, 2], 'dropout': 0.1}"
    options = ["type=PSPNet", head, "norm_cfg={'type': 'BatchNorm2d'}"]
    code, _, err = run_command(capsys, "train", config, *options, "dataloader.expected_total_train_bs_for_assert=1")
    assert code == 2
    assert "ppm_net" in err
    assert "one value a channel" in err
    assert "GroupNorm" in err


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1.0, 2.0], "has 2 numbers, but the prediction has 3 classes"),
        ([0, 0, 0], "all 3 numbers of class_weight are 0"),
        ([1, -1, 1], "at least 0"),
    ],
)
def test_N08_class_weights_of_the_wrong_length_or_without_any_are_named(weights, words, own, capsys):
    _, config = own
    code, _, err = run_command(capsys, "train", config, f"losses.loss_cls.class_weight={weights}")
    assert code == 2
    assert words in err


def same(first, second):
    """Whether two nested values are equal to the bit."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return torch.equal(first, second) if torch.is_tensor(first) else first == second


def outcome(work_dir, epochs):
    """What a run computed: its last checkpoint without times and versions, and the losses of every iteration."""
    checkpoint = loadckpts(work_dir / f"checkpoints-epoch-{epochs}.pth")
    del checkpoint["ssseg"]
    lines = [line for line in read_log(work_dir / "metrics.jsonl") if line["kind"] == "train"]
    return checkpoint, [{key: value for key, value in line.items() if key != "iter_time_s"} for line in lines]


def run(folder, root, epochs, *overrides, start=None):
    """Train in a folder of its own; with `start` go on from that checkpoint, with the log that led there."""
    folder.mkdir(parents=True, exist_ok=True)
    sparse = [f"scheduler.max_epochs={epochs}", f"eval_interval_epochs={epochs}", f"save_interval_epochs={epochs}"]
    cfg = load_config(write_config(folder, root), [*sparse, *overrides])
    if start is not None:
        (folder / "run").mkdir()
        (folder / "run" / "metrics.jsonl").write_bytes((start.parent / "metrics.jsonl").read_bytes())
    train(cfg, device="cpu", ckptspath=str(start or ""))
    return outcome(folder / "run", epochs)


DROPOUT = "head.dropout=0.5"


@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes")  # on two cores
def test_N09_two_runs_of_one_seed_are_equal_whatever_the_workers(root, tmp_path):
    first = run(tmp_path / "a", root, 15, DROPOUT)
    assert len(first[1]) == 30
    assert same(run(tmp_path / "b", root, 15, DROPOUT), first)
    assert same(run(tmp_path / "c", root, 15, DROPOUT, "dataloader.train.num_workers_per_gpu=4"), first)
    assert not same(run(tmp_path / "d", root, 15, DROPOUT, "runtime.seed=1"), first)


SAVING = ["runtime.save_interval_iters=1", "save_interval_epochs=1"]


def saved_at(work_dir, iteration, iters_per_epoch):
    """The checkpoint that a run with `SAVING` wrote after an iteration."""
    epoch, inside = divmod(iteration, iters_per_epoch)
    return work_dir / (f"checkpoints-iter-{iteration}.pth" if inside else f"checkpoints-epoch-{epoch}.pth")


EVERY = range(1, 24)


@pytest.mark.parametrize("positions", [(1, 7, 8, 9, 16, 23), pytest.param(EVERY, marks=pytest.mark.faults)], ids=len)
def test_N10_a_run_resumed_at_any_step_ends_as_if_never_stopped(positions, root, tmp_path):
    options = ["dataloader.expected_total_train_bs_for_assert=1", DROPOUT]
    expected = run(tmp_path / "whole", root, 3, *options, *SAVING)
    assert len(expected[1]) == 24
    for position in positions:
        start = saved_at(tmp_path / "whole" / "run", position, 8)
        assert same(run(tmp_path / f"{position}", root, 3, *options, start=start), expected), position


PARTS = {
    "ema": ["ema_cfg={'momentum': 0.1, 'device': 'cpu'}"],
    "amp": ["fp16_cfg={'type': 'pytorch', 'autocast': {'dtype': 'bfloat16'}, 'grad_scaler': {}}"],
    "clip": ["scheduler.clipgrad_cfg={'max_norm': 0.5, 'norm_type': 2}"],
}


@pytest.mark.parametrize("chosen", list(itertools.product([False, True], repeat=3)), ids=str)
def test_N13_so_does_one_with_averages_mixed_precision_and_clipping(chosen, root, tmp_path):
    options = [option for taken, part in zip(chosen, PARTS.values(), strict=True) if taken for option in part]
    options += ["runtime.accumulate=2", DROPOUT]
    expected = run(tmp_path / "whole", root, 2, *options, *SAVING)
    for position in (1, 2, 3):
        start = saved_at(tmp_path / "whole" / "run", position, 2)
        assert same(run(tmp_path / f"{position}", root, 2, *options, start=start), expected), position


def test_N11_metrics_do_not_depend_on_the_batch_of_the_evaluation(trained):
    config, work_dir = trained
    found = []
    for size in (1, 2, 3):
        cfg = load_config(config, [f"dataloader.test.batch_size_per_gpu={size}"])
        found.append(evaluate_checkpoint(cfg, ckptspath=str(work_dir / "checkpoints-epoch-1.pth"), device="cpu"))
    assert found[0] == found[1] == found[2]


sides = st.integers(1, 12)


@given(size=st.tuples(sides, sides), crop=st.tuples(sides, sides), data=st.data())
def test_N12_windows_cover_every_pixel_whether_they_tile_or_not(size, crop, data):
    stride = [data.draw(st.integers(1, side)) for side in crop]
    image = torch.rand(1, 2, *size)
    windows = Windows.over(image, crop, stride)
    covered = score_windows(torch.ones_like, image, windows)
    assert torch.equal(covered, torch.ones_like(image))
    torch.testing.assert_close(score_windows(lambda window: window, image, windows), image)


def test_N12_windows_that_leave_gaps_are_an_error():
    with pytest.raises(ConfigError, match=r"\['stride'\]: \(9, 8\) leaves gaps"):
        Windows.over(torch.rand(1, 2, 30, 30), (8, 8), (9, 8))


def test_N12_a_window_over_everything_equals_whole_inference():
    segmentor, images = BuildSegmentor(small("FCN"), "TEST").eval(), torch.randn(1, 3, 32, 40)
    whole = resize_like(segmentor.inference(images), images, align_corners=False)
    segmentor.cfg["inference"]["forward"].update(mode="slide", cropsize=(64, 50), stride=(10, 10))
    torch.testing.assert_close(segmentor.inference(images), whole)
