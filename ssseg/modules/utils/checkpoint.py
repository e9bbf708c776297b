"""Checkpoint files: written so that they are whole or not there, read so that nothing in them is run."""

import re
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import safeload
from .errors import CheckpointError, ConfigError, ResourceError, nearest
from .files import StrPath, symlink, write_atomically
from .stateloading import load_optimizer, load_state

__all__ = ["LATEST", "keep_last", "load_optimizer", "load_state", "loadckpts", "saveckpts"]

LATEST = "checkpoints-epoch-latest.pth"
_NUMBERED = re.compile(r"checkpoints-(epoch|iter)-\d+\.pth")
_PLAIN = (type(None), bool, int, float, str, bytes, torch.Size, torch.dtype, torch.device)


def saveckpts(
    ckpts: Mapping[str, Any],
    savepath: StrPath,
    make_soft_link: bool = True,
    soft_link_dst: StrPath | None = None,
    *,
    verify: bool = False,
) -> None:
    """Write a checkpoint in one step, and a link to it.

    Args:
        ckpts: tensors, numbers, strings, and lists, tuples and dicts of them.
        savepath: the file; one that is there is replaced.
        make_soft_link: also let a relative link lead to it; where links are not possible there is a warning.
        soft_link_dst: the link; None means `checkpoints-epoch-latest.pth` beside the file.
        verify: read the file back, checksums included.

    Raises:
        CheckpointError: `ckpts` holds something else (nothing is written then), or does not read back.
        ResourceError: the file cannot be written.
    """
    sizes: dict[int, int] = {}
    try:
        _require_plain(ckpts, "ckpts", sizes)
    except RecursionError as error:
        raise CheckpointError(f"{savepath}: cannot be written: ckpts is nested too deep, or holds itself") from error
    needed = sum(sizes.values()) + 1024 * len(sizes) + 65_536  # the tensors, and directory and pickle
    write_atomically(savepath, lambda stream: torch.save(ckpts, stream), expected_bytes=needed)
    if verify:
        safeload.verify(savepath)
    if make_soft_link:
        try:
            symlink(savepath, soft_link_dst or Path(savepath).with_name(LATEST))
        except ResourceError as error:
            warnings.warn(f"{error}; name {Path(savepath).name} itself to go on from it", stacklevel=2)


def loadckpts(ckptspath: StrPath, map_to_cpu: bool = True) -> dict[str, Any]:
    """Read a checkpoint; see `safeload.load`.

    Where the link `checkpoints-epoch-latest.pth` leads to nothing readable, the newest readable checkpoint beside it
    is read, with a warning.

    Raises:
        CheckpointError: the file is missing, damaged, or holds anything that could run.
    """
    path = Path(ckptspath)
    if path.name == LATEST:
        return _load_latest(path, map_to_cpu)
    if path.is_dir():
        raise CheckpointError(f"{path}: is a folder; the checkpoint itself is needed.{_held(path)}")
    if not path.is_file():
        if not path.parent.is_dir():
            raise CheckpointError(f"{path}: there is no such checkpoint, and no folder {path.parent}")
        names = [entry.name for entry in path.parent.iterdir()]
        raise CheckpointError(f"{path}: there is no such checkpoint.{nearest(path.name, names)}{_held(path.parent)}")
    return safeload.load(path, map_to_cpu=map_to_cpu)


def keep_last(folder: StrPath, k: int) -> list[Path]:
    """Delete all but the `k` numbered checkpoints of a folder that were written last, once the last is found whole.

    Files that cannot be read, and all others, stay. The last is the one that the link `checkpoints-epoch-latest.pth`
    leads to; the order of the others is that of the clock.

    Returns:
        What was deleted.

    Raises:
        ConfigError: `k` is below 1.
        CheckpointError: the newest checkpoint is damaged; nothing is deleted.
    """
    if k < 1:
        raise ConfigError(f"keep_last={k!r} must be 1 or more")
    ordered = _newest_first(Path(folder))
    if len(ordered) > k:
        safeload.verify(ordered[0])
    for path in ordered[k:]:
        path.unlink(missing_ok=True)
    return ordered[k:]


def _load_latest(path: Path, map_to_cpu: bool) -> dict[str, Any]:
    try:
        return safeload.load(path, map_to_cpu=map_to_cpu)
    except CheckpointError as error:
        reason = error
    failed = path.resolve()
    for other in _newest_first(path.parent):
        if other.resolve() == failed:
            continue
        try:
            contents = safeload.load(other, map_to_cpu=map_to_cpu)
        except CheckpointError:
            continue
        warnings.warn(f"{reason}; {other.name}, the newest checkpoint that can be read, is taken", stacklevel=3)
        return contents
    raise CheckpointError(f"{reason}; no other checkpoint beside it can be read") from reason


def _newest_first(folder: Path) -> list[Path]:
    """The numbered checkpoints whose directory and pickle are whole; those written last come first.

    The link tells which is the newest, whatever the clock says, which may have been set back. Positions in training
    decide only where the times are equal: a run that went back to an older checkpoint leaves files of higher ones.
    """
    linked = (folder / LATEST).resolve()
    ages = {}
    for path in sorted(folder.glob("checkpoints-*.pth")):
        if not _NUMBERED.fullmatch(path.name):
            continue
        try:
            position = safeload.scan(path).get("cur_iter")
        except CheckpointError:
            continue
        newest = path.resolve() == linked
        ages[path] = (newest, path.stat().st_mtime_ns, position if isinstance(position, int) else -1)
    return sorted(ages, key=ages.__getitem__, reverse=True)


def _held(folder: Path) -> str:
    names = sorted(path.name for path in folder.glob("*.pth"))
    return f" There are: {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}." if names else ""


def _require_plain(value: Any, where: str, sizes: dict[int, int]) -> None:
    """Raise CheckpointError for what could not be read back; collect the sizes of storages by their address."""
    if type(value) is Tensor:
        special = value.is_quantized or value.is_conj() or value.is_neg() or value.is_meta or vars(value)
        if value.layout != torch.strided or special:
            raise CheckpointError(f"{where} is a tensor of a kind that is not saved: {value.layout}, {value.dtype}")
        storage = value.untyped_storage()
        if value.numel() * value.element_size() > storage.nbytes():
            raise CheckpointError(f"{where} is an expanded tensor; save its .contiguous()")
        sizes[storage.data_ptr()] = storage.nbytes()
    elif type(value) in (dict, OrderedDict):
        for key, item in value.items():
            if type(key) not in (str, int, float, bool, type(None)):
                raise CheckpointError(f"{where} has the key {key!r}; a checkpoint's keys are strings and numbers")
            _require_plain(item, f"{where}[{key!r}]", sizes)
    elif type(value) in (list, tuple):
        for index, item in enumerate(value):
            _require_plain(item, f"{where}[{index}]", sizes)
    elif type(value) not in _PLAIN:
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        raise CheckpointError(f"{where} is a {kind}; a checkpoint holds tensors, numbers, strings, lists and dicts")
