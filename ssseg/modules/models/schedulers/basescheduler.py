"""What all schedulers share: counting, warm-up, clipping and the step."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from ...utils.errors import CheckpointError, ConfigError, DivergedError, call_with
from .checks import WHERE, check_count, check_number
from .gradients import gradients_of, scale_to_norm, total_norm
from .warmup import Warmup

MAX_SKIPPED_STEPS = 100


class BaseScheduler:
    """Sets the learning rate before each step and takes the step. A subclass writes `regularlr` or `updatelr`.

    The training loop sets `cur_epoch`, and for each iteration calls `updatelr()`, `zerograd()`, the backward pass and
    `step()`. `cur_iter` counts the steps that were taken.

    Args:
        optimizer: its groups get the rate times their `lr_multiplier`, 1 where they have none.
        lr: the highest rate; None takes the optimizer's.
        min_lr: the rate at the end; None takes `lr * 0.01`.
        warmup_cfg: see `Warmup`; None starts with the regular rate.
        clipgrad_cfg: arguments of `clipgradients`; None leaves gradients as they are.
        max_epochs, iters_per_epoch: the length of the run, both 1 or more.
        params_rules: has no effect, as groups carry their multipliers; documented calls pass it.

    Raises:
        ConfigError: a value is missing or out of range.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        lr: float | None = None,
        min_lr: float | None = None,
        warmup_cfg: Mapping[str, Any] | None = None,
        clipgrad_cfg: Mapping[str, Any] | None = None,
        max_epochs: int = -1,
        iters_per_epoch: int = -1,
        params_rules: Mapping[str, Any] | None = None,
    ):
        if isinstance(optimizer, torch.optim.LBFGS):
            raise ConfigError(f"{WHERE}['optimizer']['type']: LBFGS evaluates the loss several times a step (closure)")
        self.optimizer = optimizer
        self.lr = check_number("['optimizer']['lr']", optimizer.defaults["lr"] if lr is None else lr)
        self.min_lr = check_number("['min_lr']", self.lr * 0.01 if min_lr is None else min_lr, maximum=self.lr)
        self.max_epochs = check_count("['max_epochs']", max_epochs)
        self.iters_per_epoch = check_count("['iters_per_epoch']", iters_per_epoch)
        self.max_iters = self.max_epochs * self.iters_per_epoch
        self.warmup_cfg = warmup_cfg
        self.warmup = Warmup.of(warmup_cfg) if warmup_cfg else None
        self.clipgrad_cfg = clipgrad_cfg
        self.max_norm, self.norm_type = ...
        self.cur_epoch, self.cur_iter = 1, 0
        self.last_grad_norm: Tensor | None = None
