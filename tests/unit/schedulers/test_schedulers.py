"""The schedules as functions. Recorded traces are compared in tests/golden/test_schedulers.py."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ssseg.modules import BuildScheduler, SchedulerBuilder
from ssseg.modules.models.schedulers import BaseScheduler
from ssseg.modules.utils import ConfigError, Registry, UnknownNameError

WHERE = r"SEGMENTOR_CFG\['scheduler'\]"
NAMES = ("PolyScheduler", "CosineScheduler", "OneCycleScheduler")


def scheduler(name, lr=0.1, max_epochs=4, iters_per_epoch=5, **fields):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
    return BuildScheduler(
        optimizer, {"type": name, "max_epochs": max_epochs, "iters_per_epoch": iters_per_epoch, **fields}
    )


def rates(schedule, iterations=None):
    """The rates of a run, counted as the training loop counts."""
    found = []
    for iteration in range(schedule.max_iters if iterations is None else iterations):
        schedule.cur_epoch = iteration // schedule.iters_per_epoch + 1
        found.append(schedule.updatelr())
        schedule.step()
    return found


types = st.sampled_from(["constant", "linear", "exp"])
warmups = st.none() | st.fixed_dictionaries({"type": types, "ratio": st.floats(0, 1), "iters": st.integers(0, 50)})


@given(
    name=st.sampled_from(NAMES),
    lr=st.floats(1e-6, 10),
    floor=st.floats(0, 1),
    epochs=st.integers(1, 4),
    iters=st.integers(1, 6),
    warmup=warmups,
)
def test_rates_stay_between_zero_and_the_highest_and_end_at_the_lowest(name, lr, floor, epochs, iters, warmup):
    """N05, N06: also past the end, and for a warm-up of no iterations or longer than the run."""
    fields = {} if name == "OneCycleScheduler" else {"warmup_cfg": warmup}
    schedule = scheduler(name, lr=lr, max_epochs=epochs, iters_per_epoch=iters, min_lr=lr * floor, **fields)
    found = rates(schedule, 2 * schedule.max_iters + 60)
    assert all(isinstance(rate, float) and 0 <= rate <= lr * (1 + 1e-9) for rate in found)
    assert found[-1] == pytest.approx(lr * floor, abs=1e-9 * lr)
    if warmup is None or name == "OneCycleScheduler":
        assert min(found) >= lr * floor * (1 - 1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_past_its_end_a_schedule_stays_at_its_lowest_rate(name):
    schedule = scheduler(name, min_lr=0.003)
    assert rates(schedule, 60)[20:] == [pytest.approx(0.003)] * 40


def test_min_lr_is_a_hundredth_of_the_optimizers_rate_where_nothing_is_given():
    schedule = scheduler("PolyScheduler", lr=0.5)
    assert (schedule.lr, schedule.min_lr) == (0.5, 0.005)


def test_a_warmup_of_no_iterations_is_none():
    warmup = {"type": "linear", "ratio": 0.1, "iters": 0}
    assert rates(scheduler("PolyScheduler", warmup_cfg=warmup)) == rates(scheduler("PolyScheduler"))


def test_a_warmup_longer_than_the_run_is_cut_off():
    warmup = {"type": "linear", "ratio": 0.0, "iters": 40}
    schedule = scheduler("PolyScheduler", power=0.0, min_lr=0.0, warmup_cfg=warmup)
    assert rates(schedule) == pytest.approx([0.1 * i / 40 for i in range(20)])


def test_cosine_by_epoch_takes_a_warmup_in_iterations():
    """As the published MobileViT configs have it."""
    warmup = {"type": "linear", "ratio": 1e-6, "iters": 7}
    warm, plain = (rates(scheduler("CosineScheduler", by_epoch=True, warmup_cfg=cfg)) for cfg in (warmup, None))
    assert warm[7:] == plain[7:]
    assert warm[0] == pytest.approx(plain[0] * 1e-6)
    assert warm[5] == pytest.approx(plain[5] * (1 - 2 / 7 * (1 - 1e-6)))


def test_poly_takes_a_warmup_in_epochs():
    warmup = {"type": "constant", "ratio": 0.5, "epochs": 2}
    warm, plain = (rates(scheduler("PolyScheduler", warmup_cfg=cfg)) for cfg in (warmup, None))
    assert warm == pytest.approx([rate * (0.5 if i < 10 else 1.0) for i, rate in enumerate(plain)])


@pytest.mark.parametrize(("warmup", "expected"), [({"iters": 7}, 7), ({"epochs": 2}, 10), (None, 0)])
def test_the_length_of_a_warmup_in_iterations(warmup, expected):
    warmup_cfg = warmup and {"type": "linear", "ratio": 0.1, **warmup}
    assert scheduler("PolyScheduler", iters_per_epoch=5, warmup_cfg=warmup_cfg).warmup_iters == expected


# ---------------------------------------------------------------- one cycle


@pytest.mark.parametrize("decay", ["cosine", "linear"])
def test_one_cycle_rises_in_a_line_to_its_peak_and_falls(decay):
    found = rates(scheduler("OneCycleScheduler", warmup_fraction=0.25, decay=decay, min_lr=0.0))
    assert found[:5] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])
    assert found[5] == pytest.approx(0.1)
    assert found[5:] == sorted(found[5:], reverse=True)
    if decay == "linear":
        assert found[5:] == pytest.approx([0.1 * (1 - i / 15) for i in range(15)])
    else:
        assert found[12] + found[13] == pytest.approx(0.1)  # symmetric about the middle of the way down


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_one_cycle_may_be_all_fall_or_all_rise(fraction):
    found = rates(scheduler("OneCycleScheduler", warmup_fraction=fraction, min_lr=0.0))
    assert found == sorted(found, reverse=not fraction)
    assert max(found) == pytest.approx(0.1)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_epochs": 0}, rf"{WHERE}\['max_epochs'\]=0 must be an integer, 1 or more"),
        ({"max_epochs": 1.5}, rf"{WHERE}\['max_epochs'\]=1\.5 must be an integer"),
        ({"iters_per_epoch": 0}, rf"{WHERE}\['iters_per_epoch'\]=0 must be an integer, 1 or more"),
        ({"min_lr": 0.2}, rf"{WHERE}\['min_lr'\]=0\.2 must be a number in \[0, 0\.1\]"),
        ({"power": "0.9"}, rf"{WHERE}\['power'\]='0\.9' must be a number"),
        ({"powre": 0.9}, rf"{WHERE}\['powre'\]: PolyScheduler has no such field. Did you mean 'power'\?"),
        ({"warmup_cfg": {"type": "linaer", "ratio": 0, "iters": 1}}, r"called 'linaer'. Did you mean 'linear'\?"),
        ({"warmup_cfg": {"type": "linear", "ratio": 2, "iters": 1}}, rf"{WHERE}\['warmup_cfg'\]\['ratio'\]=2 must be"),
        (
            {"warmup_cfg": {"type": "linear", "ratio": 0}},
            rf"{WHERE}\['warmup_cfg'\]: needs one of 'iters' and 'epochs'",
        ),
        ({"warmup_cfg": {"type": "exp", "ratio": 0, "iters": 1, "epochs": 1}}, "needs one of 'iters' and 'epochs'"),
        ({"warmup_cfg": {"type": "exp", "ratio": 0, "iters": -1}}, rf"{WHERE}\['warmup_cfg'\]\['iters'\]=-1 must be"),
        ({"warmup_cfg": {"type": "exp", "ratio": 0, "iter": 1}}, rf"{WHERE}\['warmup_cfg'\]\['iter'\]: .*mean 'iters'"),
        ({"clipgrad_cfg": {"max_norm": -1}}, rf"{WHERE}\['clipgrad_cfg'\]\['max_norm'\]=-1 must be a number"),
        ({"clipgrad_cfg": {"norms": 1}}, rf"{WHERE}\['clipgrad_cfg'\]\['norms'\]: .* It takes: max_norm, norm_type"),
        ({"clipgrad_cfg": {"norm_type": 0}}, rf"{WHERE}\['clipgrad_cfg'\]\['norm_type'\]=0 must be"),
    ],
)
def test_fields_that_cannot_work_are_named(fields, message):
    with pytest.raises(ConfigError, match=message):
        scheduler("PolyScheduler", **fields)


def test_fields_of_one_cycle_that_cannot_work_are_named():
    with pytest.raises(ConfigError, match=rf"{WHERE}\['warmup_fraction'\]=1\.5 must be a number in \[0, 1\]"):
        scheduler("OneCycleScheduler", warmup_fraction=1.5)
    with pytest.raises(
        ConfigError, match=rf"{WHERE}\['decay'\]='cosin' must be one of cosine, linear. Did you mean 'cosine'"
    ):
        scheduler("OneCycleScheduler", decay="cosin")
    with pytest.raises(ConfigError, match=rf"{WHERE}\['warmup_cfg'\]: OneCycleScheduler has no such field"):
        scheduler("OneCycleScheduler", warmup_cfg=None)


@pytest.mark.parametrize("lr", [-1, "0.1", float("nan")])
def test_a_rate_that_is_none_is_named(lr):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    with pytest.raises(ConfigError, match=rf"{WHERE}\['optimizer'\]\['lr'\]={lr!r} must be a number"):
        BuildScheduler(optimizer, {"type": "PolyScheduler", "max_epochs": 1, "iters_per_epoch": 1, "lr": lr})


def test_an_unknown_schedule_and_lbfgs_are_errors():
    with pytest.raises(
        UnknownNameError, match=rf"{WHERE}\['type'\]: .* 'PolyScheduller'. Did you mean 'PolyScheduler'"
    ):
        scheduler("PolyScheduller")
    lbfgs = torch.optim.LBFGS([nn.Parameter(torch.zeros(1))])
    with pytest.raises(ConfigError, match=rf"{WHERE}\['optimizer'\]\['type'\]: LBFGS needs a closure"):
        BuildScheduler(lbfgs, {"type": "PolyScheduler", "max_epochs": 1, "iters_per_epoch": 1})


def test_a_user_writes_updatelr_alone(monkeypatch):
    monkeypatch.setattr(SchedulerBuilder, "REGISTERED_MODULES", Registry(PolyScheduler=BaseScheduler))

    class PolyScheduler(BaseScheduler):
        """The tutorial's, with a body."""

        def updatelr(self):
            for group in self.optimizer.param_groups:
                group["lr"] = 0.5
            return 0.5

    with pytest.warns(UserWarning, match="the scheduler 'PolyScheduler' was registered already and is replaced"):
        SchedulerBuilder().register("PolyScheduler", PolyScheduler)
    cfg = {"optimizer": {"type": "SGD", "lr": 0.1}}
    assert rates(scheduler("PolyScheduler", **cfg), 2) == [0.5, 0.5]


def test_a_schedule_that_says_nothing_is_an_error():
    schedule = BaseScheduler(torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1), max_epochs=1, iters_per_epoch=1)
    with pytest.raises(NotImplementedError, match=r"writes neither regularlr\(\) nor updatelr\(\)"):
        schedule.updatelr()
