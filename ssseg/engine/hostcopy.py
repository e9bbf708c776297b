"""Copies of states that stay as they are while training goes on."""

import copy
from collections.abc import Mapping
from typing import Any

from torch import Tensor


def on_host(value: Any, _known: dict[Any, Tensor] | None = None) -> Any:
    """Return dicts, lists and tuples with copies of their tensors in the host's memory; tensors seen twice stay one."""
    known = {} if _known is None else _known
    if isinstance(value, Tensor):
        place = (value.untyped_storage().data_ptr(), value.storage_offset(), value.shape, value.stride(), value.dtype)
        if place not in known:
            known[place] = value.detach().to("cpu", copy=True)
        return known[place]
    if isinstance(value, Mapping):
        copied: Any = copy.copy(value)  # an OrderedDict of torch has attributes
        for key in value:
            copied[key] = on_host(value[key], known)
        return copied
    if type(value) in (list, tuple):
        return type(value)(on_host(item, known) for item in value)
    return value
