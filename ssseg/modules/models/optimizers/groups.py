"""What all params constructors share: a parameter group, and the checks of its multipliers."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

from ...utils.errors import ConfigError

WHERE = "SEGMENTOR_CFG['scheduler']['optimizer']"


def unwrapped(model: nn.Module) -> nn.Module:
    """The model itself, whose parameters have the names that rules and checkpoints know."""
    return model.module if isinstance(model, (DistributedDataParallel, DataParallel)) else model


def group_of(
    params: Sequence[nn.Parameter],
    settings: Mapping[str, Any],
    lr_multiplier: float = 1.0,
    wd_multiplier: float = 1.0,
    **about: Any,
) -> dict[str, Any]:
    """A parameter group whose `lr` and `weight_decay` are those of `settings` times the multipliers.

    The group keeps `lr_multiplier`: a scheduler multiplies its rate with it at every step.
    """
    group = {"params": list(params), **about, "lr_multiplier": lr_multiplier, "wd_multiplier": wd_multiplier}
    for field, multiplier in (("lr", lr_multiplier), ("weight_decay", wd_multiplier)):
        if field in settings:
            group[field] = settings[field] * multiplier
    return group


def require_number(value: object, where: str, minimum: float = 0.0) -> None:
    """Raise ConfigError unless `value` is a finite number that is not below `minimum`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not minimum <= value < float("inf"):
        raise ConfigError(f"{where}={value!r} must be a number, {minimum:g} or more")
