"""Unpacking archives from elsewhere: all of it or nothing, and only below the folder that was named."""

import bz2
import contextlib
import gzip
import importlib.util
import io
import lzma
import os
import re
import secrets
import shutil
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Self

from .errors import ArchiveError, ResourceError
from .filekinds import shown
from .files import touchdirs
from .volumes import Volumes

MAX_MEMBERS = 1_000_000
MAX_RATIO = 100  # unpacked bytes for each byte of the archive; pictures reach 2, label maps in plain text 30
_ALLOWANCE = 1 << 26  # bytes that an archive may unpack to however small it is
_CHUNK = 1 << 20
_DAMAGE = (EOFError, OSError, ValueError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError)
_SEVENZIP, _RAR = b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"
_DECOMPRESSORS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}

StrPath = str | os.PathLike[str]


def unpack(archive: StrPath | Sequence[StrPath], folder: StrPath) -> None:
    """Unpack a zip, tar or 7z archive, which may be compressed and cut into volumes, as the new folder `folder`.

    What arrives stands beside `folder` until it is whole and every checksum was right; after an error nothing is left.
    Permissions, owners and times are not taken over. 7z needs the package py7zr: `pip install 'ssseg[archives]'`.

    Args:
        archive: the file, or its volumes `.001`, `.002`, ... in order.

    Raises:
        ArchiveError: damage; a member that would lie outside, is a link or a device, or clashes with another one, in
            case only too; more members or bytes than `MAX_MEMBERS` and `MAX_RATIO` allow; a format that needs a tool.
        ResourceError: `folder` exists, or the disk is full.
    """
    paths = [Path(archive)] if isinstance(archive, str | os.PathLike) else [Path(path) for path in archive]
    folder = Path(folder)
    if folder.exists():
        raise ResourceError(f"{shown(folder)}: exists already; nothing is unpacked over it")
    require_readable(paths)
    touchdirs(folder.parent)
    beside = folder.with_name(f".ssseg-partial-{secrets.token_hex(8)}")
    beside.mkdir()
    try:
        with Volumes(paths) as volumes:
            _Unpacking(beside, volumes.size, shown(paths[0])).run(volumes)
        os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def require_readable(paths: Sequence[Path]) -> None:
    """Raise an ArchiveError for a format that needs a package or a program that is missing; the message names it."""
    with paths[0].open("rb") as stream:
        head = stream.read(8)
    place = shown(paths[0])
    if head.startswith(_SEVENZIP) and importlib.util.find_spec("py7zr") is None:
        raise ArchiveError(
            f"{place}: is a 7z archive, which takes the package py7zr: pip install 'ssseg[archives]'. "
            f"Or unpack it yourself: `7z x {place}`"
        )
    if head.startswith(_RAR):
        raise ArchiveError(f"{place}: only the program unrar can unpack this format: `unrar x {place}`")


class _Tail:
    """Passes a stream on, and knows how it ended: a whole tar file ends with 1024 zeros."""

    def __init__(self, stream: Any, limit: int):
        self._stream, self._left, self.last = stream, limit, b""

    def read(self, size: int) -> bytes:
        data: bytes = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"it unpacks to more than {MAX_RATIO} times its size")
        self.last = (self.last + data)[-1024:]
        return data


class _Unpacking:
    """One archive on its way into a folder, with what was seen so far."""

    def __init__(self, folder: Path, size: int, where: str):
        self.folder, self.where = folder, where
        self.left = MAX_RATIO * size + _ALLOWANCE
        self.free = shutil.disk_usage(folder).free
        self.members = 0
        self.spellings: dict[str, str] = {}  # folded path -> path
        self.files: set[str] = set()
        self.folders: set[str] = set()

    def run(self, volumes: Volumes) -> None:
        stream = io.BufferedReader(volumes)
        head = stream.read(8)
        stream.seek(0)
        try:
            if head.startswith(_SEVENZIP):
                self._run_sevenzip(stream)
                return
            members = self._zip_members if head.startswith((b"PK\3\4", b"PK\5\6")) else self._tar_members
            for name, is_folder, source in members(stream, head):
                path = self._checked(name, is_folder)
                if is_folder:
                    self._make_folder(self.folder / path)
                    continue
                with self._opened(path) as target:
                    while chunk := source.read(_CHUNK):
                        target.write(chunk)
        except (ArchiveError, ResourceError):
            raise
        except (*_DAMAGE, RuntimeError, NotImplementedError) as error:
            reason = str(error) or type(error).__name__
            raise ArchiveError(f"{self.where}: the archive is damaged, or of no known kind: {reason}") from error

    def _zip_members(self, stream: IO[bytes], head: bytes) -> Iterator[tuple[str, bool, Any]]:
        with zipfile.ZipFile(stream) as archive:
            if len(archive.infolist()) > MAX_MEMBERS:
                raise self._refused("holds more than", MAX_MEMBERS, "members")
            for info in archive.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise self._refused(repr(info.filename), "is a link or a device")
                if info.is_dir():
                    yield info.orig_filename, True, None
                    continue
                with archive.open(info) as source:
                    yield info.orig_filename, False, source

    def _tar_members(self, stream: IO[bytes], head: bytes) -> Iterator[tuple[str, bool, Any]]:
        openers: list[Any] = [opener for magic, opener in _DECOMPRESSORS.items() if head.startswith(magic)]
        plain = openers[0](stream) if openers else stream
        tail = _Tail(plain, self.left)
        with contextlib.closing(plain), tarfile.open(fileobj=tail, mode="r|") as archive:  # type: ignore[call-overload]
            for member in archive:
                if not (member.isreg() or member.isdir()) or member.issparse():
                    raise self._refused(repr(member.name), "is a link or a device")
                yield member.name, member.isdir(), None if member.isdir() else archive.extractfile(member)
                archive.members.clear()  # they would pile up
            while tail.read(_CHUNK):  # up to the checksum of a compressed stream
                pass
        if tail.last.strip(b"\0") or not tail.last:
            raise EOFError("it ends before its end mark")

    def _checked(self, name: str, is_folder: bool) -> str:
        """Return a member's path below the folder; ArchiveError where it has none or clashes with another."""
        self.members += 1
        if self.members > MAX_MEMBERS:
            raise self._refused("holds more than", MAX_MEMBERS, "members")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        unsafe = name.startswith("/") or ".." in parts or re.search(r"[\0-\x1f\\]|^[A-Za-z]:", name)
        if unsafe or (not parts and not is_folder):
            raise self._refused("a member would be written outside its folder:", repr(name))
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            spelling = self.spellings.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
            if spelling != path:
                raise self._refused(repr(spelling), "and", repr(path), "differ in case only")
        path, parents = "/".join(parts), {"/".join(parts[:depth]) for depth in range(1, len(parts))}
        if path in self.files or parents & self.files or (path in self.folders and not is_folder):
            raise self._refused(repr(path), "is there twice, or is a file and a folder")
        self.folders |= parents | ({path} if is_folder else set())
        self.files |= set() if is_folder else {path}
        return path

    def _run_sevenzip(self, stream: IO[bytes]) -> None:
        from .sevenzip import read_members, write_members

        files = []
        for name, kind in read_members(stream):
            if kind == "other":
                raise self._refused(repr(name), "is a link or a device")
            path = self._checked(name, kind == "folder")
            if kind == "folder":
                self._make_folder(self.folder / path)
            else:
                files.append(path)
        write_members(stream, files, self._opened)

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def _opened(self, path: str) -> "_Target":
        target = self.folder / path
        self._make_folder(target.parent)
        return _Target(target, self)

    def count(self, size: int) -> None:
        """Count bytes that are about to be written.

        Raises:
            ArchiveError, ResourceError: they are more than the archive may hold, or than the disk has room for.
        """
        self.left -= size
        self.free -= size
        if self.left < 0:
            raise self._refused("unpacks to more than", MAX_RATIO, "times its size")
        if self.free < 0:
            raise ResourceError(f"{self.where}: does not fit on the disk of {shown(self.folder.parent)}")

    def _refused(self, *words: object) -> ArchiveError:
        return ArchiveError(f"{self.where}: is not unpacked: {' '.join(map(str, words))}")


class _Target:
    """A file that a member becomes."""

    def __init__(self, path: Path, unpacking: _Unpacking):
        self._path, self._unpacking = path, unpacking
        try:
            self._stream = path.open("xb")
        except OSError as error:
            raise _unwritable(path, error) from error

    def write(self, chunk: bytes) -> int:
        self._unpacking.count(len(chunk))
        try:
            return self._stream.write(chunk)
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _unwritable(path: Path, error: OSError) -> ResourceError:
    return ResourceError(f"{shown(path)}: cannot be written: {error.strerror or error}")
