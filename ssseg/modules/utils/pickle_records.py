"""What the pickle of a checkpoint may name, and the records that are made in place of what it would call."""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .errors import CheckpointError


@dataclass(frozen=True)
class StorageRecord:
    """Bytes that tensors look at: `nbytes` of them in the archive's entry `data/<key>`, saved from `location`."""

    key: str
    nbytes: int
    location: str


@dataclass(frozen=True, eq=False)
class TensorRecord:
    """A tensor whose values were not read yet. All of it lies inside its storage; offset and strides are in values."""

    storage: StorageRecord
    dtype: torch.dtype
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(eq=False)
class ArrayRecord:
    """A NumPy array, None until the pickle filled it."""

    array: np.ndarray | None = None


@dataclass(frozen=True)
class Named:
    """Something that a pickle may name: a storage type, or a function with what takes its place."""

    name: str
    dtype: torch.dtype | None = None
    call: Callable[..., Any] | None = None


@dataclass
class NumpyType:
    """A NumPy dtype: kind and size, and the byte order, which comes after."""

    kind: str
    order: str = "|"

    def numpy(self) -> np.dtype[Any]:
        if not re.fullmatch(r"[biufc]\d{1,2}", self.kind):
            raise CheckpointError(f"holds NumPy values of type {self.kind!r}, which are not numbers")
        return np.dtype(self.order + self.kind)


def count_of(value: object) -> int:
    """Return `value`; CheckpointError unless it is an integer, 0 or more."""
    if type(value) is not int or value < 0:  # of other things even the repr may be too long to make
        raise CheckpointError("has a size, stride or offset that is no count")
    return value


def counts_of(values: Any) -> tuple[int, ...]:
    """Return `values`; CheckpointError unless they are at most 64 counts, as many dimensions as a tensor may have."""
    if not isinstance(values, tuple) or len(values) > 64:
        raise CheckpointError("has a shape that is none")
    return tuple(map(count_of, values))


def array_of(_version: Any, shape: Any, dtype: Any, fortran: Any, data: Any) -> np.ndarray:
    """Return the array that NumPy's own `__setstate__` would make of its arguments, without a copy of `data`."""
    return np.frombuffer(data, dtype.numpy()).reshape(counts_of(shape), order="F" if fortran else "C")


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, _grad: Any, _hooks: Any, metadata: Any = None) -> Any:
    record, dtype = storage
    return _checked_tensor(record, dtype, offset, shape, stride, metadata)


def _tensor_v3(
    storage: Any, offset: Any, shape: Any, stride: Any, _grad: Any, _hooks: Any, dtype: Any, metadata: Any = None
) -> Any:
    return _checked_tensor(storage[0], dtype, offset, shape, stride, metadata)


def _checked_tensor(storage: Any, dtype: Any, offset: Any, shape: Any, stride: Any, metadata: Any) -> TensorRecord:
    if not isinstance(storage, StorageRecord) or not isinstance(dtype, torch.dtype):
        raise CheckpointError("has a tensor that is not made of a storage")
    if metadata:
        raise CheckpointError("has a tensor with metadata (a conjugate or negative view)")
    offset, shape, stride = count_of(offset), counts_of(shape), counts_of(stride)
    numel, last, room = 1, offset, storage.nbytes // dtype.itemsize
    for size, step in zip(shape, stride, strict=True):
        numel, last = numel * size, last + (size - 1) * step
    if numel and (last >= room or numel > room):
        raise CheckpointError(f"has a tensor of shape {shape} that does not lie inside its storage of {room} values")
    return TensorRecord(storage, dtype, offset, shape, stride)


def _parameter(tensor: Any, _grad: Any, _hooks: Any) -> TensorRecord:
    if not isinstance(tensor, TensorRecord):
        raise CheckpointError("has a parameter that is not made of a tensor")
    return tensor


def _ordered_dict() -> OrderedDict[Any, Any]:
    return OrderedDict()  # its items come by SETITEMS


def _scalar(dtype: NumpyType, data: bytes) -> Any:
    (value,) = np.frombuffer(data, dtype.numpy())
    return value.item()


def _device(kind: Any, index: Any = None) -> torch.device:
    if kind not in ("cpu", "cuda", "mps", "xpu", "meta"):
        raise CheckpointError("has a device of an unknown kind")
    return torch.device(kind) if index is None else torch.device(kind, count_of(index))


_STORAGES = {
    "BFloat16": torch.bfloat16,
    "Bool": torch.bool,
    "Byte": torch.uint8,
    "Char": torch.int8,
    "ComplexDouble": torch.complex128,
    "ComplexFloat": torch.complex64,
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "Int": torch.int32,
    "Long": torch.int64,
    "Short": torch.int16,
}
_CALLS: dict[str, Callable[..., Any]] = {
    "__builtin__.bytes": lambda: b"",
    "_codecs.encode": lambda text, _encoding: text.encode("latin1"),
    "collections.OrderedDict": _ordered_dict,
    "numpy.core.multiarray._reconstruct": lambda _type, _shape, _kind: ArrayRecord(),
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.dtype": lambda kind, _align, _copy: NumpyType(kind),
    "torch.Size": lambda sizes: torch.Size(counts_of(sizes)),
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch.device": _device,
}
KNOWN: dict[str, Any] = {
    **{f"torch.{name}": value for name, value in vars(torch).items() if isinstance(value, torch.dtype)},
    **{f"torch.{name}Storage": Named(name, dtype=dtype) for name, dtype in _STORAGES.items()},
    "torch.storage.UntypedStorage": Named("Untyped", dtype=torch.uint8),
    "numpy.ndarray": Named("ndarray"),
    **{name: Named(name, call=call) for name, call in _CALLS.items()},
    **{name.replace(".core.", "._core."): Named(name, call=call) for name, call in _CALLS.items()},
}
