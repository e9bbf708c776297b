"""Building a network whose weights will be loaded anyway, without drawing random ones first."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

_INITIALIZERS = frozenset(
    {nn.init.kaiming_normal_, nn.init.kaiming_uniform_, nn.init.normal_, nn.init.uniform_}  # these tell a mode
)
_DRAWS = frozenset({torch.Tensor.normal_, torch.Tensor.uniform_})  # what all others of them draw with
_RANDOM = _INITIALIZERS | _DRAWS


class Uninitialized(TorchFunctionMode):
    """A context in which new parameters hold what their memory happens to hold, or 0, where they would be random.

    Buffers, and parameters that start as a constant, are made as usual. Every parameter must be loaded afterwards.
    """

    def __torch_function__(
        self, func: Any, types: Iterable[Any], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in _RANDOM:  # nearly always
            return func(*args, **kwargs)
        target = args[0] if args else kwargs["tensor"]
        if not isinstance(target, nn.Parameter):
            return func(*args, **kwargs)
        return target if func in _INITIALIZERS else target.zero_()  # `trunc_normal_` draws again what is out of range
