"""Decay along half a cosine."""

import math
from collections.abc import Mapping
from typing import Any

import torch

from .basescheduler import BaseScheduler


class CosineScheduler(BaseScheduler):
    """From `lr` to `min_lr` along half a cosine.

    Paper: Loshchilov and Hutter, "SGDR", ICLR 2017, arXiv:1608.03983, without restarts.

    Args:
        by_epoch: change the rate once an epoch: epoch e of n (from 1) stands at e / n of the way, so that the last
            epoch has `min_lr` throughout. Otherwise it changes in every iteration.
        Others: see `BaseScheduler`. The warm-up counts what `warmup_cfg` names, iterations or epochs.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        by_epoch: bool = True,
        lr: float | None = None,
        min_lr: float | None = None,
        warmup_cfg: Mapping[str, Any] | None = None,
        clipgrad_cfg: Mapping[str, Any] | None = None,
        max_epochs: int = -1,
        iters_per_epoch: int = -1,
        params_rules: Mapping[str, Any] | None = None,
    ):
        super().__init__(optimizer, lr, min_lr, warmup_cfg, clipgrad_cfg, max_epochs, iters_per_epoch, params_rules)
        self.by_epoch = by_epoch

    def regularlr(self) -> float:
        way = min(self.cur_epoch / self.max_epochs, 1.0) if self.by_epoch else self.progress
        return self.min_lr + 0.5 * (self.lr - self.min_lr) * (1 + math.cos(math.pi * way))
