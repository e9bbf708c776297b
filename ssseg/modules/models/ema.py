"""A segmentor whose weights are an average over those of the training so far."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..utils.errors import ConfigError
from .optimizers.groups import unwrapped


class EMASegmentor(nn.Module):
    """Keeps an exponential moving average of a segmentor, `ema * (1 - momentum) + momentum * current`.

    Parameters and floating buffers are averaged; integer buffers, such as counters, are copied. The average is in
    evaluation mode and takes no gradients.

    Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.

    Args:
        segmentor: what to average; the average starts as its copy.
        momentum: in (0, 1], the weight of the current values in an update.
        device: where the average lives.

    Raises:
        ConfigError: `momentum` is out of range.
    """

    def __init__(self, segmentor: nn.Module, momentum: float = 0.0005, device: str | torch.device = "cpu"):
        super().__init__()
        if isinstance(momentum, bool) or not isinstance(momentum, (int, float)) or not 0 < momentum <= 1:
            raise ConfigError(f"SEGMENTOR_CFG['ema_cfg']['momentum']={momentum!r} must be a number in (0, 1]")
        self.momentum = momentum
        self.segmentor_ema = copy.deepcopy(unwrapped(segmentor)).to(device).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, segmentor: nn.Module) -> None:
        """Move the average towards the current values of `segmentor`."""
        current = _entries(unwrapped(segmentor))
        averages, values = [], []
        for name, average in _entries(self.segmentor_ema).items():
            value = current[name].to(average.device)
            if average.is_floating_point():
                averages.append(average)
                values.append(value)
            else:
                average.copy_(value)
        torch._foreach_lerp_(averages, values, self.momentum)

    def state(self) -> dict[str, Any]:
        """Return the averaged segmentor's state dict."""
        return self.segmentor_ema.state_dict()

    def setstate(self, state_dict: Mapping[str, Any], strict: bool = True) -> None:
        """Load the averaged segmentor's state dict; see `torch.nn.Module.load_state_dict`."""
        self.segmentor_ema.load_state_dict(state_dict, strict=strict)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.segmentor_ema(*args, **kwargs)


def _entries(module: nn.Module) -> dict[str, Tensor]:
    """The tensors of the state dict, those with two names once: they would be averaged twice."""
    names: dict[int, str] = {}
    entries = module.state_dict(keep_vars=True)
    return {
        name: value
        for name, value in entries.items()
        if isinstance(value, Tensor) and names.setdefault(id(value), name) == name
    }
