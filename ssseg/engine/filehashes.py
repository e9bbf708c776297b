"""A list of the SHA-256 of every file of a data set: wrong pixels in a damaged JPEG show nowhere else.

The list has the form that `sha256sum` writes and checks; its paths start at its own folder.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..modules.utils.errors import DataError
from ..modules.utils.filekinds import shown
from ..modules.utils.files import write_atomically
from .dataaudit.listing import pairs_of
from .dataaudit.sources import open_sources
from .progress import progress

_LINE = re.compile(rb"(\\?)([0-9a-f]{64}) [ *](.+)")
_ESCAPES = ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"))


@dataclass(frozen=True)
class Verification:
    """What a comparison with a list found; paths as strings.

    Attributes:
        same: how many files are as listed.
        changed, missing: files with other contents, and files that are not there or cannot be read.
        unlisted: files of the data set that the list does not name.
    """

    same: int
    changed: list[str]
    missing: list[str]
    unlisted: list[str]


def files_of(cfg: Mapping[str, Any], splits: Sequence[str]) -> list[str]:
    """Return the images and label maps of sets ("train", "val") of a `SEGMENTOR_CFG`, each once, sorted.

    Raises:
        ConfigError: there is no data set, or its cfg is wrong.
        DataError: a set cannot be opened, or files are missing.
    """
    sources, findings = open_sources(cfg, splits)
    paths: set[str] = set()
    for source in sources:
        pairs, missing = pairs_of(source)
        findings += missing
        paths.update(path for pair in pairs for path in (pair.image, pair.label) if path)
    faults = [finding for finding in findings if finding.severity == "error"]
    if faults:
        raise DataError(f"{faults[0].file}: {faults[0].message} ({len(faults)} such findings; see `ssseg data check`)")
    return sorted(paths)


def write_hashes(target: str | os.PathLike[str], paths: Sequence[str], *, workers: int = 1) -> None:
    """Write the list of `paths` to `target`, in one step.

    Raises:
        DataError: a file cannot be read. ResourceError: the list cannot be written.
    """
    folder = Path(target).absolute().parent
    lines = []
    for path, digest in zip(paths, _digests(paths, workers), strict=True):
        if digest is None:
            raise DataError(f"{shown(path)}: cannot be read")
        name = os.fsencode(os.path.relpath(path, folder))
        escaped = name
        for plain, code in _ESCAPES:
            escaped = escaped.replace(plain, code)
        lines.append((b"\\" if escaped != name else b"") + digest.encode() + b"  " + escaped + b"\n")
    write_atomically(target, lambda stream: stream.write(b"".join(lines)))


def read_hashes(source: str | os.PathLike[str]) -> dict[str, str]:
    """Read a list: absolute path -> SHA-256.

    Raises:
        DataError: it is missing or empty, or a line is none of such a list.
    """
    folder = Path(source).absolute().parent
    try:
        lines = Path(source).read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(f"{shown(source)}: the list of hashes cannot be read: {error.strerror}") from error
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.removesuffix(b"\r"))
        if match is None:
            raise DataError(f"{shown(source)}:{number}: no line `<SHA-256>  <path>`, as sha256sum writes them")
        name = re.sub(rb"\\(.)", _unescaped, match[3]) if match[1] else match[3]
        hashes[os.path.normpath(folder / os.fsdecode(name))] = match[2].decode()
    if not hashes:
        raise DataError(f"{shown(source)}: the list of hashes is empty")
    return hashes


def verify(source: str | os.PathLike[str], paths: Sequence[str], *, workers: int = 1) -> Verification:
    """Compare the files that a list names with it.

    Args:
        paths: the files of the data set as it is; those that the list lacks are `unlisted`.

    Raises:
        DataError: the list cannot be read.
    """
    listed = read_hashes(source)
    found = dict(zip(listed, _digests(list(listed), workers), strict=True))
    changed = [path for path, digest in found.items() if digest is not None and digest != listed[path]]
    missing = [path for path, digest in found.items() if digest is None]
    unlisted = [path for path in paths if os.path.abspath(path) not in listed]
    return Verification(len(listed) - len(changed) - len(missing), changed, missing, unlisted)


def _digests(paths: Sequence[str], workers: int) -> Iterator[str | None]:
    with ThreadPoolExecutor(max(workers, 1)) as pool, progress("hash", len(paths)) as meter:
        for digest in pool.map(_digest, paths):
            meter.advance()
            yield digest


def _digest(path: str) -> str | None:
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None


def _unescaped(match: re.Match[bytes]) -> bytes:
    return {b"n": b"\n", b"r": b"\r"}.get(match[1], match[1])
