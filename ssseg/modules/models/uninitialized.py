"""Building a network whose weights will be loaded anyway, without drawing random ones first."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

_DRAWS = frozenset(
    getattr(place, name)
    for place, names in (
        (nn.init, "kaiming_normal_ kaiming_uniform_ normal_ uniform_"),
        (torch.Tensor, "normal_ uniform_ erfinv_ mul_ add_ clamp_"),  # `trunc_normal_` takes all of these but the first
    )
    for name in names.split()
)


class Uninitialized(TorchFunctionMode):
    """A context in which new parameters keep the bytes that their memory happens to hold, where they would be random.

    Buffers, and parameters that start as a constant, are made as usual. Every parameter must be loaded afterwards.
    """

    def __torch_function__(
        self, func: Any, types: Iterable[Any], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _DRAWS:
            target = args[0] if args else kwargs["tensor"]
            if isinstance(target, nn.Parameter):
                return target
        return func(*args, **kwargs)
