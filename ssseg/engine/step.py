"""One training step: no files, no clock, no messages."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..modules.utils import SSSegInputStructure
from ..modules.utils.distributed import all_reduce, rank, world_size
from ..modules.utils.errors import DivergedError
from ..modules.utils.seeds import seed_generators
from .devices import Precision
from .finiteness import Verdict, updates_can_be_left_out
from .state import TrainState

MAX_SKIPPED = 100  # updates in a row that a float16 scaler may leave out


def train_step(
    state: TrainState, model: nn.Module, parts: Sequence[SSSegInputStructure], precision: Precision, ids: Sequence[Any]
) -> dict[str, Tensor]:
    """Take one step and return the mean losses of its parts, detached.

    Args:
        state: changed in place; its iteration advances by one.
        model: `state.segmentor`, or its parallel or compiled wrapper.
        parts: this process's share of the batch, on the device, cut into accumulated parts.
        ids: the samples' ids, for the message of an error.

    Raises:
        DivergedError: a loss or a gradient is not finite; that of the step before where `state.lags`. Nothing was
            updated then.
    """
    seed_generators(state.seed, state.iteration, rank())
    scheduler = state.scheduler
    scheduler.cur_epoch = state.epoch + 1
    state.learning_rate = rate = _next_rate(state)
    scheduler.zerograd()
    extra = (
        {"learning_rate": rate, "epoch": state.epoch + 1} if getattr(state.segmentor, "wants_progress", False) else {}
    )
    losses: dict[str, Tensor] = {}
    for number, part in enumerate(parts, start=1):
        waits = world_size() > 1 and number < len(parts)
        with model.no_sync() if waits else nullcontext():  # type: ignore[operator]
            with precision.autocast():
                output = model(part, **extra)
            precision.backward(output.loss / len(parts), state.optimizer)
        for name, value in output.losses_log_dict.items():
            losses[name] = losses.get(name, 0) + value.detach() / len(parts)
    norm = scheduler.preparegradients(precision.scaler)
    if precision.scaler is None:  # a scaler leaves out updates that overflow
        _require_finite(state, losses, norm, rate, ids)
    before = scheduler.cur_iter
    scheduler.step(precision.scaler)
    state.skipped = state.skipped + 1 if scheduler.cur_iter == before else 0
    if state.skipped > MAX_SKIPPED:
        diagnosis = _diagnosis(state, losses, rate, ids, state.iteration)
        raise DivergedError(f"{state.skipped} updates in a row overflowed. {diagnosis}")
    if state.ema is not None:
        state.ema.update(state.segmentor)
    state.iteration += 1
    return losses


def _next_rate(state: TrainState) -> float:
    """Let the schedule set the rates; return that before the multipliers of groups.

    A schedule of the user's may return nothing.
    """
    rate: float | None = state.scheduler.updatelr()
    return state.optimizer.param_groups[0]["lr"] if rate is None else rate


def _require_finite(
    state: TrainState, losses: dict[str, Tensor], norm: Tensor, rate: float, ids: Sequence[Any]
) -> None:
    """Raise before the update where any process has a loss or a gradient that is not finite.

    Where `state.lags`, the device leaves the update out by itself, and the next step raises: the host need not wait.
    """
    bad = all_reduce((~torch.isfinite(norm + sum(losses.values()))).float(), "max")
    lags = state.lags and updates_can_be_left_out(state.optimizer)
    verdict = Verdict(bad, partial(_diagnosis, state, losses, rate, ids, state.iteration, gone=lags))
    state.settle()
    if lags:
        state.optimizer.found_inf = bad  # type: ignore[attr-defined]
        state.verdict = verdict
    else:
        verdict.settle()


def _diagnosis(
    state: TrainState, losses: dict[str, Tensor], rate: float, ids: Sequence[Any], iteration: int, gone: bool = False
) -> str:
    """Say which loss or gradient is not finite, where, and what to try.

    Args:
        iteration: those done before. gone: the gradients are those of a later one.
    """
    values = {name: float(value) for name, value in losses.items()}
    culprits = [name for name, value in values.items() if not math.isfinite(value) and name != "loss_total"]
    if culprits:
        what = f"{', '.join(culprits)} not finite"
    elif gone:
        what = "a gradient is not finite (with SEGMENTOR_CFG['runtime']['dump_batch'] = True it is named)"
    else:
        named = state.segmentor.named_parameters()
        broken = [name for name, p in named if p.grad is not None and not bool(torch.isfinite(p.grad).all())]
        what = (
            f"the gradient of {broken[0]} is not finite" if broken else "another process has a value that is not finite"
        )
    shown = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
    return (
        f"{what} at iteration {iteration + 1} (epoch {iteration // state.iters_per_epoch + 1}): {shown}; "
        f"learning rate {rate:.3g}; "
        f"samples {', '.join(map(str, ids))}. The weights are as they were before this step. "
        "Try a lower SEGMENTOR_CFG['scheduler']['optimizer']['lr'], a warmup_cfg or a clipgrad_cfg."
    )
