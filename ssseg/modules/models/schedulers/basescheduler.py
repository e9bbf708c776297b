"""What all schedulers share: counting, warm-up, clipping and the step."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from ...utils.errors import CheckpointError, ConfigError, call_with
from ..optimizers.joining import joined_groups
from .checks import WHERE, check_count, check_number
from .gradients import ClipGrad, gradients_of, scale_to_norm, total_norm
from .warmup import Warmup


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
            raise ConfigError(f"{WHERE}['optimizer']['type']: LBFGS needs a closure, which the loop has not")
        self.optimizer = optimizer
        self.lr = check_number("['optimizer']['lr']", optimizer.defaults.get("lr") if lr is None else lr)
        self.min_lr = check_number("['min_lr']", self.lr * 0.01 if min_lr is None else min_lr, maximum=self.lr)
        self.max_epochs = check_count("['max_epochs']", max_epochs)
        self.iters_per_epoch = check_count("['iters_per_epoch']", iters_per_epoch)
        self.max_iters = self.max_epochs * self.iters_per_epoch
        self.warmup_cfg = warmup_cfg
        if warmup_cfg is not None:
            Warmup.of(warmup_cfg)
        self.clipgrad_cfg = clipgrad_cfg
        if clipgrad_cfg is not None:
            call_with(ClipGrad, clipgrad_cfg, where=f"{WHERE}['clipgrad_cfg']")
        self.cur_epoch, self.cur_iter = 1, 0
        self.last_grad_norm: Tensor | None = None
        self._prepared = False

    @property
    def progress(self) -> float:
        """The share of the run that is behind, in [0, 1]."""
        return min(self.cur_iter / self.max_iters, 1.0)

    @property
    def warmup_iters(self) -> int:
        """How many iterations the warm-up takes, those after the end of the run included; 0 without one."""
        if self.warmup_cfg is None:
            return 0
        warmup = Warmup.of(self.warmup_cfg)
        return (warmup.epochs or 0) * self.iters_per_epoch if warmup.iters is None else warmup.iters

    def regularlr(self) -> float:
        """Return the learning rate of this iteration as it is without warm-up; never below `min_lr`."""
        raise NotImplementedError(f"{type(self).__name__} writes neither regularlr() nor updatelr()")

    def updatelr(self) -> float:
        """Give every group its rate for this iteration; return the rate before the groups' multipliers."""
        lr = self.regularlr()
        if self.warmup_cfg is not None:
            by_epoch = self.warmup_cfg.get("epochs") is not None
            lr = self.getwarmuplr(self.cur_iter, self.warmup_cfg, lr, self.cur_epoch, by_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group.get("lr_multiplier", 1.0)
        return lr

    def getwarmuplr(
        self,
        cur_iter: int,
        warmup_cfg: Mapping[str, Any],
        regular_lr: float,
        cur_epoch: int | None = None,
        by_epoch: bool = False,
    ) -> float:
        """Return the rate that `warmup_cfg` makes of `regular_lr`.

        Args:
            cur_iter: from 0.
            cur_epoch: from 1; counts instead of `cur_iter` where `by_epoch` is True.
        """
        warmup = Warmup.of(warmup_cfg)
        current = cur_epoch if by_epoch and cur_epoch is not None else cur_iter
        return regular_lr * warmup.factor(current)

    def preparegradients(self, grad_scaler: Any = None) -> Tensor:
        """Unscale and clip the gradients; return their norm () before clipping, without waiting for the device.

        For a loop that looks at the norm before the step: a norm that is not finite means that a gradient is not
        (with a `grad_scaler` such a step is skipped). `step` calls this itself where that was not done.
        """
        if grad_scaler is not None:
            grad_scaler.unscale_(self.optimizer)
        params = self._params()
        if self.clipgrad_cfg is None:
            norm = total_norm(gradients_of(params))
        else:
            norm = self.clipgradients(params, **self.clipgrad_cfg)
        self.last_grad_norm, self._prepared = norm, True
        return norm

    def step(self, grad_scaler: Any = None) -> None:
        """Clip the gradients as configured and update the parameters.

        `last_grad_norm` is then the gradients' norm () before clipping, None where nobody asked for it. A step that
        `grad_scaler` skips, because gradients overflowed in float16, does not count: `cur_iter` stays.
        """
        if not self._prepared:
            self.last_grad_norm = None
            if self.clipgrad_cfg is not None:
                self.preparegradients(grad_scaler)
        self._prepared = False
        if grad_scaler is None:
            with joined_groups(self.optimizer):
                self.optimizer.step()
            self.cur_iter += 1
            return
        scale = grad_scaler.get_scale()
        with joined_groups(self.optimizer):
            grad_scaler.step(self.optimizer)
        grad_scaler.update()
        self.cur_iter += int(grad_scaler.get_scale() >= scale)  # a scale that falls tells of a skipped step

    def clipgradients(self, params: Iterable[Tensor], max_norm: float = 35, norm_type: float = 2) -> Tensor:
        """Scale the gradients of `params` so that their norm, taken over all of them together, is at most `max_norm`.

        Returns:
            The norm () before, still on the device: reading it waits for the device.
        """
        grads = gradients_of(params)
        norm = total_norm(grads, norm_type)
        scale_to_norm(grads, norm, max_norm)
        return norm

    def zerograd(self) -> None:
        """Drop all gradients."""
        self._prepared = False
        self.optimizer.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint holds: `cur_epoch`, `cur_iter` and the state of the `optimizer`."""
        return {"cur_epoch": self.cur_epoch, "cur_iter": self.cur_iter, "optimizer": self.optimizer.state_dict()}

    def setstate(self, state_dict: Mapping[str, Any]) -> None:
        """Take `cur_epoch` and `cur_iter` from `state_dict`; the optimizer loads its state itself.

        Raises:
            CheckpointError: one of them is missing or no count.
        """
        for name in ("cur_epoch", "cur_iter"):
            value = state_dict.get(name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise CheckpointError(f"the schedule's state: {name}={value!r} must be an integer, 0 or more")
        self.cur_epoch, self.cur_iter = state_dict["cur_epoch"], state_dict["cur_iter"]

    def _params(self) -> list[Tensor]:
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
