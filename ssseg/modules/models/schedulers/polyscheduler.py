"""Decay by a power of what is left of the run."""

from collections.abc import Mapping
from typing import Any

import torch

from .basescheduler import BaseScheduler
from .checks import check_number


class PolyScheduler(BaseScheduler):
    """From `lr` to `min_lr` along `(1 - cur_iter / max_iters) ** power`.

    Source: Liu et al., "ParseNet", 2015, arXiv:1506.04579, section 3.2.

    Args:
        power: 1 is a straight line; smaller ones stay high for longer.
        Others: see `BaseScheduler`.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        power: float = 0.9,
        lr: float | None = None,
        min_lr: float | None = None,
        warmup_cfg: Mapping[str, Any] | None = None,
        clipgrad_cfg: Mapping[str, Any] | None = None,
        max_epochs: int = -1,
        iters_per_epoch: int = -1,
        params_rules: Mapping[str, Any] | None = None,
    ):
        super().__init__(optimizer, lr, min_lr, warmup_cfg, clipgrad_cfg, max_epochs, iters_per_epoch, params_rules)
        self.power = check_number("['power']", power)

    def regularlr(self) -> float:
        return self.min_lr + (self.lr - self.min_lr) * (1 - self.progress) ** self.power
