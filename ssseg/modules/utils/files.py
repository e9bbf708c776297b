"""Writing files so that a reader finds the old one or the whole new one, whatever happens in between."""

import contextlib
import errno
import io
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from .errors import ResourceError

_TEMPORARY = ".ssseg-partial-"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

StrPath = str | os.PathLike[str]


def write_atomically(
    path: StrPath, write: Callable[[BinaryIO], Any], *, expected_bytes: int | None = None, durable: bool = True
) -> None:
    """Let `write` fill a temporary file beside `path`, then give it that name in one step.

    After a crash or a power cut `path` holds what it held before, or all of the new contents. What `write` raises on
    its own account passes through. No error leaves a file behind.

    Args:
        path: the file to write or replace; its folder must exist.
        write: is handed the open file.
        expected_bytes: how large the file will be; too little free space is then noticed before a byte is written.
        durable: wait until the disk has it, so that a power cut cannot take it; tens of milliseconds a file. Without,
            a killed process still leaves the old file or the new one.

    Raises:
        ResourceError: the disk is full, the folder is missing or cannot be written, `path` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise ResourceError(f"{path}: cannot be written: it is a folder")
    if expected_bytes is not None and _free_bytes(path.parent) < expected_bytes:
        raise _full(path, expected_bytes)
    temporary = _temporary_beside(path)
    try:
        raw = _NotingFile(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb")
    except OSError as error:
        raise _unwritable(path, error, expected_bytes) from error
    try:
        with io.BufferedWriter(raw) as stream:
            write(cast(BinaryIO, stream))
            stream.flush()
            if durable:
                with raw.noting():
                    os.fsync(raw.fileno())
        with raw.noting():
            os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if raw.failure is not None:
            raise _unwritable(path, raw.failure, expected_bytes) from error
        raise
    if durable:
        _sync_folder(path.parent)


def sweep_stale(folder: StrPath, lock: StrPath | None = None) -> list[Path]:
    """Remove what interrupted `write_atomically` and `symlink` calls left in `folder`; return what was removed.

    Args:
        lock: a file that the caller wrote when it took hold of the folder. What is younger is being written by
            somebody else, such as a command that converts a checkpoint, and stays.
    """
    limit = os.stat(lock).st_mtime_ns if lock is not None else float("inf")
    swept = []
    for path in sorted(Path(folder).glob(f"{_TEMPORARY}*")):
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            if not stat.S_ISDIR(status.st_mode) and status.st_mtime_ns <= limit:
                path.unlink()
                swept.append(path)
    return swept


def touchdir(directory: StrPath) -> None:
    """Create `directory` where it is missing; its parent must exist.

    Raises:
        ResourceError: a file has that name, the parent is missing, or it cannot be written.
    """
    _make_folder(Path(directory), parents=False)


def touchdirs(directory: StrPath) -> None:
    """Create `directory` and the parents it lacks.

    Raises:
        ResourceError: a file stands in the way, or a parent cannot be written.
    """
    _make_folder(Path(directory), parents=True)


def symlink(src_path: StrPath, dst_path: StrPath) -> None:
    """Make `dst_path` a link to `src_path`; a link or file of that name is replaced in one step.

    The link is relative to its own folder, so that it survives moving the folder that holds both.

    Raises:
        ResourceError: `dst_path` is a folder, or its file system cannot hold links.
    """
    source, link = Path(src_path), Path(dst_path)
    if link.is_dir() and not link.is_symlink():
        raise ResourceError(f"{link}: cannot be made a link: it is a folder")
    temporary = _temporary_beside(link)
    try:
        os.symlink(os.path.relpath(source.parent.resolve() / source.name, link.parent.resolve()), temporary)
        os.replace(temporary, link)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _unwritable(link, error) from error
    _sync_folder(link.parent)


def judgefileexist(filepath: StrPath) -> bool:
    """Return whether `filepath` is a file, or a link that leads to one."""
    return Path(filepath).is_file()


class _NotingFile(io.FileIO):
    """Remembers which call of the system failed: `torch.save` turns a full disk into an error about positions."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        with self.noting():
            return super().write(data)

    @contextlib.contextmanager
    def noting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = error
            raise


def _temporary_beside(path: Path) -> Path:
    return path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")


def _unwritable(path: Path, error: OSError, needed: int | None = None) -> ResourceError:
    if error.errno in _FULL:
        return _full(path, needed)
    return ResourceError(f"{path}: cannot be written: {error.strerror or error}")


def _full(path: Path, needed: int | None) -> ResourceError:
    needs = "" if needed is None else f"{needed:,} bytes are needed, "
    return ResourceError(f"{path}: cannot be written: the disk is full: {needs}{_free_bytes(path.parent):,} are free")


def _free_bytes(folder: Path) -> float:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return float("inf")  # what is wrong with the folder shows when it is written


def _make_folder(folder: Path, *, parents: bool) -> None:
    try:
        folder.mkdir(parents=parents, exist_ok=True)
    except FileExistsError as error:
        raise ResourceError(f"{folder}: cannot be made a folder: a file has that name") from error
    except OSError as error:
        raise ResourceError(f"{folder}: cannot be made a folder: {error.strerror or error}") from error
    except ValueError as error:
        raise ResourceError(f"{str(folder)!r}: cannot be made a folder: {error}") from error


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable; a file system that cannot do that is left alone."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
