"""Up in a straight line, then down: the rate for short runs."""

import math
from collections.abc import Mapping
from typing import Any

import torch

from ...utils.errors import ConfigError, nearest
from .basescheduler import BaseScheduler
from .checks import WHERE, check_number

_SHAPES = ("cosine", "linear")


class OneCycleScheduler(BaseScheduler):
    """From near `min_lr` up to `lr` in a straight line, then down to `min_lr`.

    Paper: Smith and Topin, "Super-Convergence", 2017, arXiv:1708.07120, with one decay in place of two.

    Args:
        warmup_fraction: the share of the run in which the rate rises, in [0, 1].
        decay: `cosine` or `linear`, the way down.
        Others: see `BaseScheduler`.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        warmup_fraction: float = 0.1,
        decay: str = "cosine",
        lr: float | None = None,
        min_lr: float | None = None,
        clipgrad_cfg: Mapping[str, Any] | None = None,
        max_epochs: int = -1,
        iters_per_epoch: int = -1,
        params_rules: Mapping[str, Any] | None = None,
    ):
        super().__init__(optimizer, lr, min_lr, None, clipgrad_cfg, max_epochs, iters_per_epoch, params_rules)
        self.rising_iters = round(check_number("['warmup_fraction']", warmup_fraction, maximum=1.0) * self.max_iters)
        if decay not in _SHAPES:
            raise ConfigError(
                f"{WHERE}['decay']={decay!r} must be one of {', '.join(_SHAPES)}.{nearest(decay, _SHAPES)}"
            )
        self.decay = decay

    def regularlr(self) -> float:
        if self.cur_iter < self.rising_iters:
            share = (self.cur_iter + 1) / self.rising_iters
        else:
            way = min((self.cur_iter - self.rising_iters) / max(self.max_iters - self.rising_iters, 1), 1.0)
            share = 1 - way if self.decay == "linear" else 0.5 * (1 + math.cos(math.pi * way))
        return self.min_lr + (self.lr - self.min_lr) * share
