"""Reads checkpoints without running anything in them, and without believing a damaged one.

A file that `torch.save` wrote is a zip archive of a pickle and of raw storages. It is read in three steps: the pickle
becomes records (`pickle_machine`); the records are compared with the archive's directory; the storages are read, each
straight to where its tensors look, while their checksums are verified. Nothing is allocated that the file does not
hold, and no failure is retried in another way.
"""

import errno
import hashlib
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .archive_entries import StoredArchive
from .errors import CheckpointError
from .files import StrPath
from .pickle_machine import read_pickle
from .pickle_records import ArrayRecord, StorageRecord, TensorRecord

MAX_PICKLE_BYTES = 1 << 26
MAX_DEPTH = 100
MAX_VALUES = 10_000_000  # what is shared counts each time that it is met: whoever prints or converts it meets it so
_DAMAGED = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError),
    *(struct.error, zipfile.BadZipFile, Warning),  # a warning where warnings are errors: pickletools gives some
)
_PLAIN = (type(None), bool, int, float, str, bytes, np.ndarray, torch.Size, torch.dtype, torch.device)


def load(path: StrPath, *, expected_sha256_prefix: str | None = None, map_to_cpu: bool = True) -> dict[str, Any]:
    """Read a checkpoint: `torch.save`'s zip format, or safetensors where the name ends so.

    Args:
        expected_sha256_prefix: the first hexadecimal digits of the file's SHA-256, 8 or more. With them, files of the
            format before 2020, which have no checksums, are read as well.
        map_to_cpu: put all tensors on the CPU, not on the devices from which they were saved.

    Returns:
        What was saved. Tensors that shared memory do so again; parameters are plain tensors.

    Raises:
        CheckpointError: the file is missing, damaged, or another one than expected; or it names anything but tensors,
            numbers, strings, lists and dicts.
    """
    with _errors_of(path), open(path, "rb", buffering=0) as stream:
        if expected_sha256_prefix is not None:
            _check_hash(hashlib.file_digest(stream, "sha256").hexdigest(), expected_sha256_prefix)
            stream.seek(0)
        if Path(path).suffix == ".safetensors":
            return _load_safetensors(path)
        if stream.read(4) != b"PK\3\4":
            return _load_legacy(path, verified=expected_sha256_prefix is not None)
        archive = StoredArchive(stream)
        storages = _Storages(archive, map_to_cpu)
        contents: dict[str, Any] = _Tree(storages.tensor).map(_records(archive))
        return contents


def scan(path: StrPath) -> dict[str, Any]:
    """Return what a checkpoint of the zip format holds, with a `TensorRecord` (shape, dtype) for each tensor.

    No storage is read, so that a large file takes no longer than a small one. Errors are those of `load`.
    """
    with _errors_of(path), open(path, "rb", buffering=0) as stream:
        return _records(StoredArchive(stream))


def verify(path: StrPath) -> None:
    """Raise CheckpointError where `load` would, or where an entry that it does not need is damaged.

    For files of the zip format, in constant memory.
    """
    with _errors_of(path), open(path, "rb", buffering=0) as stream:
        archive = StoredArchive(stream)
        _records(archive)
        for name in archive.entries:
            archive.check(name)


@contextmanager
def _errors_of(path: StrPath) -> Iterator[None]:
    """Whatever a file that is not what it should be leads to is a CheckpointError that names it."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error.__cause__
    except OSError as error:  # EINVAL: the archive told zipfile to look before the file's beginning
        what = "is damaged" if error.errno == errno.EINVAL else "cannot be read"
        raise CheckpointError(f"{path}: {what}: {error.strerror or error}") from error
    except _DAMAGED as error:
        raise CheckpointError(f"{path}: is damaged, or no checkpoint: {error}") from error


def _records(archive: StoredArchive) -> dict[str, Any]:
    """Read the pickle, and check that the archive holds each storage that it names, in the size that it names."""
    if "byteorder" in archive.entries and archive.read("byteorder") != b"little":
        raise CheckpointError("was written on a big-endian machine")
    if archive.entry("data.pkl").size > MAX_PICKLE_BYTES:
        raise CheckpointError(f"has a pickle of more than {MAX_PICKLE_BYTES:,} bytes")

    def check(record: TensorRecord) -> TensorRecord:
        size = archive.entry(f"data/{record.storage.key}").size
        if size != record.storage.nbytes:
            raise CheckpointError(f"has a storage of {size} bytes where {record.storage.nbytes} should be")
        return record

    contents = _Tree(check).map(read_pickle(archive.read("data.pkl")))
    if not isinstance(contents, dict):
        raise CheckpointError(f"holds a {type(contents).__name__}, not a dict")
    return contents


class _Tree:
    """Puts `leaf(record)` in place of each TensorRecord, and arrays for their records. Shared parts stay shared."""

    def __init__(self, leaf: Callable[[TensorRecord], Any]):
        self.leaf = leaf
        self.count = 0  # of values so far
        # by id: the value, kept alive so that no other gets its id; what stands in its place; how many values it has
        self.done: dict[int, tuple[Any, Any, int]] = {}

    def map(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, _PLAIN):
            self._add(1 + len(value) // 64 if isinstance(value, str | bytes) else 1)
            return value
        if depth > MAX_DEPTH:
            raise CheckpointError(f"is nested more than {MAX_DEPTH} deep")
        if id(value) in self.done:
            _, made, count = self.done[id(value)]
            self._add(count)
            return made
        before = self.count
        self._add(1)
        made = self._map(value, depth + 1)
        self.done[id(value)] = value, made, self.count - before
        return made

    def _add(self, count: int) -> None:
        self.count += count
        if self.count > MAX_VALUES:
            raise CheckpointError(f"unfolds to more than {MAX_VALUES:,} values; it holds the same ones over and over")

    def _map(self, value: Any, depth: int) -> Any:
        if isinstance(value, TensorRecord):
            return self.leaf(value)
        if isinstance(value, ArrayRecord) and value.array is not None:
            return value.array
        if type(value) is tuple:
            return tuple(self.map(item, depth) for item in value)
        if type(value) is list:
            value[:] = [self.map(item, depth) for item in value]
        elif type(value) in (dict, OrderedDict):
            for key, item in value.items():
                value[key] = self.map(item, depth)
            if hasattr(value, "_metadata"):
                value._metadata = self.map(value._metadata, depth)
        else:
            raise CheckpointError(f"holds a {type(value).__name__} where a value should be")
        return value


class _Storages:
    """The storages that tensors share, each read when the first tensor asks for it."""

    def __init__(self, archive: StoredArchive, map_to_cpu: bool):
        self.archive = archive
        self.map_to_cpu = map_to_cpu
        self.read: dict[str, Tensor] = {}

    def tensor(self, record: TensorRecord) -> Tensor:
        key = record.storage.key
        if key not in self.read:
            self.read[key] = self._read(record.storage)
        empty = torch.empty(0, dtype=record.dtype, device=self.read[key].device)
        return empty.set_(self.read[key].untyped_storage(), record.offset, record.shape, record.stride)

    def _read(self, storage: StorageRecord) -> Tensor:
        values = torch.empty(storage.nbytes, dtype=torch.uint8)
        self.archive.read_into(f"data/{storage.key}", values.numpy().data)
        if self.map_to_cpu or not storage.location.startswith("cuda"):
            return values
        if not torch.cuda.is_available():
            raise CheckpointError(
                f"was saved from {storage.location}, and there is no GPU here; map_to_cpu=True reads it"
            )
        return values.to(storage.location)


def _check_hash(digest: str, expected: str) -> None:
    if len(expected) < 8:
        raise CheckpointError(f"expected_sha256_prefix={expected!r} is shorter than 8 digits")
    if not digest.startswith(expected.lower()):
        raise CheckpointError(f"is another file than expected: its SHA-256 is {digest}, not {expected}...")


def _load_safetensors(path: StrPath) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise CheckpointError(f"is damaged, or not of the safetensors format: {error}") from error


def _load_legacy(path: StrPath, *, verified: bool) -> dict[str, Any]:
    if not verified:
        raise CheckpointError("is no zip archive; files of older formats are read only when their hash is known")
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # the hash was right, so this is what the file's author published
        raise CheckpointError(f"is of a format that cannot be read safely: {error}") from error
