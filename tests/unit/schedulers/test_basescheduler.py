"""The step: clipping, unscaling, counting, and the state."""

import pytest
import torch
from torch import nn

from ssseg.modules import BuildOptimizer, BuildScheduler
from ssseg.modules.utils import CheckpointError


def built(params, clipgrad_cfg=None, lr=1.0, optimizer=None):
    optimizer = optimizer or torch.optim.SGD(params, lr=lr)
    cfg = {"type": "PolyScheduler", "max_epochs": 2, "iters_per_epoch": 5, "clipgrad_cfg": clipgrad_cfg}
    return BuildScheduler(optimizer, cfg)


def parameter(*gradient):
    result = nn.Parameter(torch.zeros(len(gradient)))
    result.grad = torch.tensor(gradient)
    return result


class Scaler(torch.amp.GradScaler):
    """Works without a GPU, on which torch's own insists."""

    def __init__(self, scale=8.0):
        super().__init__("cpu", init_scale=scale)


# ---------------------------------------------------------------- clipping


def test_the_norm_is_taken_over_all_groups_together():
    a, b = parameter(3.0), parameter(4.0)
    schedule = built([{"params": [a]}, {"params": [b]}], {"max_norm": 1.0})
    assert schedule.step() is None
    assert float(schedule.last_grad_norm) == pytest.approx(5.0)
    assert (a.grad.item(), b.grad.item()) == (pytest.approx(0.6), pytest.approx(0.8))
    assert (a.item(), b.item()) == (pytest.approx(-0.6), pytest.approx(-0.8))


@pytest.mark.parametrize(("norm_type", "norm"), [(1, 7.0), (2, 5.0), (3, (27 + 64) ** (1 / 3)), (float("inf"), 4.0)])
def test_clipgradients_returns_the_norm_before_as_torch_does(norm_type, norm):
    ours, theirs = parameter(3.0, -4.0), parameter(3.0, -4.0)
    got = built([ours]).clipgradients([ours], max_norm=2.0, norm_type=norm_type)
    assert float(got) == pytest.approx(norm)
    torch.nn.utils.clip_grad_norm_([theirs], 2.0, norm_type)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_small_gradients_stay_as_they_are():
    small = parameter(0.3, 0.4)
    built([small]).clipgradients([small], max_norm=35)
    assert small.grad.tolist() == pytest.approx([0.3, 0.4], abs=1e-7)


def test_parameters_without_gradients_and_models_without_any_are_no_trouble():
    bare = nn.Parameter(torch.zeros(2))
    schedule = built([bare, parameter(3.0, 4.0)], {})
    schedule.step()
    assert float(schedule.last_grad_norm) == pytest.approx(5.0)
    schedule.zerograd()
    schedule.step()
    assert float(schedule.last_grad_norm) == 0


def test_gradients_of_different_dtypes_have_one_norm():
    half = nn.Parameter(torch.zeros(1, dtype=torch.bfloat16))
    half.grad = torch.tensor([4.0], dtype=torch.bfloat16)
    schedule = built([half, parameter(3.0)], {"max_norm": 1.0})
    schedule.step()
    assert float(schedule.last_grad_norm) == pytest.approx(5.0)
    assert half.grad.item() == pytest.approx(0.8, rel=1e-2)


def test_sparse_gradients_are_clipped():
    table = nn.Embedding(10, 2, sparse=True)
    (table(torch.tensor([1, 3, 3])).sum() * 3).backward()
    dense = torch.zeros(10, 2)
    dense[1], dense[3] = 3.0, 6.0
    schedule = built(None, {"max_norm": 1.0}, optimizer=torch.optim.SparseAdam(table.parameters(), lr=0.1))
    schedule.step()
    assert float(schedule.last_grad_norm) == pytest.approx(float(dense.norm()))
    torch.testing.assert_close(table.weight.grad.to_dense(), dense / dense.norm(), rtol=1e-5, atol=0)


def test_the_norm_is_known_before_the_step_without_clipping():
    weight = parameter(3.0, 4.0)
    schedule = built([weight])
    assert float(schedule.preparegradients()) == pytest.approx(5.0)
    assert weight.grad.tolist() == [3.0, 4.0]
    schedule.step()
    assert float(schedule.last_grad_norm) == pytest.approx(5.0)
    assert weight.tolist() == [-3.0, -4.0]
    schedule.step()
    assert schedule.last_grad_norm is None  # nobody asked for it


def test_gradients_that_were_prepared_are_not_clipped_twice():
    weight = parameter(3.0, 4.0)
    schedule = built([weight], {"max_norm": 1.0})
    schedule.preparegradients()
    weight.grad.mul_(10)  # clipping again would undo this
    schedule.step()
    assert weight.tolist() == pytest.approx([-6.0, -8.0])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("clip", [None, {"max_norm": 1.0}])
def test_a_gradient_that_is_not_finite_shows_in_the_norm_before_the_update(bad, clip):
    """N02: the loop can stop there, with the weights as they were."""
    good, broken = parameter(1.0), parameter(bad)
    assert not torch.isfinite(built([good, broken], clip).preparegradients())
    assert (good.item(), broken.item()) == (0, 0)


# ---------------------------------------------------------------- mixed precision


def test_gradients_are_unscaled_before_they_are_clipped():
    weight = nn.Parameter(torch.zeros(2))
    schedule, scaler = built([weight], {"max_norm": 1.0}), Scaler(8.0)
    scaler.scale((weight * torch.tensor([0.3, 0.4])).sum()).backward()
    schedule.step(scaler)
    assert float(schedule.last_grad_norm) == pytest.approx(0.5)
    assert weight.tolist() == pytest.approx([-0.3, -0.4])
    assert schedule.cur_iter == 1


@pytest.mark.parametrize("clip", [None, {"max_norm": 1.0}])
@pytest.mark.parametrize("prepared", [False, True])
def test_a_skipped_step_does_not_advance_the_schedule(clip, prepared):
    """N03."""
    weight = nn.Parameter(torch.zeros(2))
    schedule, scaler = built([weight], clip), Scaler(8.0)
    for factor, steps in ((float("inf"), 0), (1.0, 1), (float("nan"), 1), (1.0, 2)):
        schedule.zerograd()
        scaler.scale((weight * factor).sum()).backward()
        if prepared:
            schedule.preparegradients(scaler)
        schedule.step(scaler)
        assert schedule.cur_iter == steps
    assert scaler.get_scale() == 2.0
    assert weight.isfinite().all()


def test_a_scaler_that_is_switched_off_changes_nothing():
    weight = parameter(1.0)
    schedule = built([weight])
    schedule.step(torch.amp.GradScaler("cpu", enabled=False))
    assert (weight.item(), schedule.cur_iter) == (-1.0, 1)


# ---------------------------------------------------------------- state


def test_zerograd_drops_gradients():
    weight = parameter(1.0)
    built([weight]).zerograd()
    assert weight.grad is None


def test_a_run_goes_on_where_its_state_says():
    model = nn.Linear(2, 2)
    optimizer = BuildOptimizer(model, {"type": "SGD", "lr": 1.0, "momentum": 0.9, "params_rules": {}})
    schedule = built(None, optimizer=optimizer)
    for _ in range(3):
        schedule.updatelr()
        schedule.step()
    state = schedule.state()
    assert (state["cur_epoch"], state["cur_iter"]) == (1, 3)
    assert state["optimizer"].keys() == {"state", "param_groups"}
    other = built(None, optimizer=BuildOptimizer(nn.Linear(2, 2), {"type": "SGD", "lr": 1.0}))
    other.setstate(state)
    assert other.updatelr() == schedule.updatelr()


@pytest.mark.parametrize(
    "state", [{"cur_epoch": 1}, {"cur_epoch": 1, "cur_iter": -1}, {"cur_epoch": 1.5, "cur_iter": 1}]
)
def test_a_state_that_is_none_is_an_error(state):
    with pytest.raises(
        CheckpointError, match=r"the schedule's state: cur_(iter|epoch)=.* must be an integer, 0 or more"
    ):
        built([parameter(1.0)]).setstate(state)
