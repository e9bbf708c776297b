"""One step for all parameter groups that are updated alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_ABOUT = {"params", "name", "rule_key", "lr_multiplier", "wd_multiplier"}  # of no concern to an optimizer


@contextmanager
def joined_groups(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Let `optimizer` see groups with equal settings as one while the block runs.

    Rules make a group of each parameter, as documented and as checkpoints hold them; a step would start its kernels
    for every one. Only for optimizers of `torch.optim` and those with `joins_groups`: another may keep something of its
    own in a group.
    """
    groups = optimizer.param_groups
    if not (type(optimizer).__module__.startswith("torch.optim") or getattr(optimizer, "joins_groups", False)):
        yield
        return
    joined: dict[Any, dict[str, Any]] = {}
    for group in groups:
        key = tuple((name, _hashable(value)) for name, value in sorted(group.items()) if name not in _ABOUT)
        joined.setdefault(key, {**group, "params": []})["params"].extend(group["params"])
    optimizer.param_groups = list(joined.values())
    try:
        yield
    finally:
        optimizer.param_groups = groups


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
