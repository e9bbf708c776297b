"""Torch's optimizers without its compiler."""

import inspect
from functools import cache
from typing import Any

import torch

_NEVER_COMPILED = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
_KNOWN = ("torch.optim.", f"{__package__}.muon")  # where decorators of these methods are torch's own


@cache
def without_compiler(optimizer: Any) -> Any:
    """Return a class that does what `optimizer` does and does not import `torch._dynamo`, which takes a second.

    Torch's optimizers import it in each step, to tell the compiler how gradients are switched, and in methods that it
    must not compile. Here no optimizer is compiled. One of somebody else's is returned as it is.
    """
    if not isinstance(optimizer, type) or not optimizer.__module__.startswith(_KNOWN):
        return optimizer
    step = inspect.unwrap(optimizer.step)  # type: ignore[attr-defined]

    def quick_step(self: Any, *args: Any, **kwargs: Any) -> Any:
        with torch.set_grad_enabled(self.defaults.get("differentiable", False)):
            return step(self, *args, **kwargs)

    def reduce(self: Any) -> tuple[Any, ...]:  # its class is made at run time: no copy could find it by its name
        return _blank, (optimizer,), self.__getstate__()

    methods = {name: inspect.unwrap(getattr(optimizer, name)) for name in _NEVER_COMPILED}
    names = {name: getattr(optimizer, name) for name in ("__module__", "__qualname__", "__doc__")}
    return type(optimizer.__name__, (optimizer,), {**names, **methods, "step": quick_step, "__reduce__": reduce})


def _blank(optimizer: Any) -> Any:
    made = without_compiler(optimizer)
    return made.__new__(made)
