"""The `class_weight` argument of the losses that have one."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ...utils.errors import ConfigError


def read_class_weight(owner: str, class_weight: Sequence[float] | None) -> tuple[float, ...] | None:
    """Return the weights as a tuple, None where there are none.

    Raises:
        ConfigError: not a list of finite numbers of at least 0 with a sum above 0.
    """
    if class_weight is None:
        return None
    try:
        weights = tuple(float(value) for value in class_weight)
    except (TypeError, ValueError):
        weights = ()
    if isinstance(class_weight, str) or not weights or not all(math.isfinite(w) and w >= 0 for w in weights):
        raise ConfigError(f"{owner}: class_weight={class_weight!r} must list one number of at least 0 for each class")
    if not any(weights):
        raise ConfigError(f"{owner}: all {len(weights)} numbers of class_weight are 0; one must be above")
    return weights


def class_weight_for(owner: str, class_weight: tuple[float, ...] | None, scores: Tensor) -> Tensor | None:
    """Return the weights as a tensor (C,) of the dtype and device of `scores` (N, C, ...).

    Raises:
        ConfigError: there are not as many as the prediction has channels.
    """
    if class_weight is None:
        return None
    if len(class_weight) != scores.shape[1]:
        raise ConfigError(
            f"{owner}: class_weight has {len(class_weight)} numbers, but the prediction has {scores.shape[1]} classes"
        )
    # not blocking: the copy of a few numbers must not wait for the device
    return torch.tensor(class_weight, dtype=scores.dtype).to(scores.device, non_blocking=True)


def weigh_classes(values: Tensor, class_weight: Tensor | None) -> Tensor:
    """Multiply `values` (N, C, ...) with a factor for each class, (C,) or None."""
    return values if class_weight is None else values * class_weight.view(-1, *[1] * (values.ndim - 2))
