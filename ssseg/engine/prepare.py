"""Fetching a data set, unpacking it, and putting it where its experiments look for it: whole or not at all."""

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from ..modules.utils.archive import require_readable, unpack
from ..modules.utils.download import download
from ..modules.utils.errors import ArchiveError, DataError, ResourceError, UnknownNameError, listed, nearest
from ..modules.utils.filekinds import shown
from ..modules.utils.files import touchdirs
from .preparesources import SOURCES, Source

DOWNLOADS = ".ssseg-downloads"


def prepare(
    name: str,
    root: str | os.PathLike[str] = ".",
    *,
    keep: bool = False,
    say: Callable[[str], None] = lambda line: None,
    store: str | None = None,
) -> Path:
    """Make the data set `name` below `root` and return its folder; where it is there and whole, nothing is done.

    Archives arrive in `<root>/.ssseg-downloads/<name>`, are unpacked there, and the data set gets its name in one step.
    A run that was interrupted is finished by the next one.

    Args:
        name: a key of `SOURCES`, in capitals or not.
        keep: leave the archives where they are.
        say: takes a line about each step.
        store: another address to fetch from, http://127.0.0.1 included.

    Raises:
        UnknownNameError: there is no such data set.
        DownloadError, ArchiveError, ResourceError: see `download` and `unpack`.
        DataError: the archive does not hold the data set, or a folder of its name holds something else.
    """
    source = find_source(name)
    root = Path(root)
    final, workplace = root / source.root, root / DOWNLOADS / name.lower()
    touchdirs(workplace)
    with _locked(workplace):
        if final.exists():
            lacking = missing_files(final, source)
            if lacking:
                raise DataError(
                    f"{shown(final)}: exists but lacks {listed(lacking)}. Move it away, then run this again."
                )
            say(f"{final} is there already")
            return final
        archives = []
        for number, file in enumerate(source.names, start=1):
            say(f"{file} ({number} of {len(source.names)})")
            archives.append(download(f"{store or source.store}/{file}", workplace, allow_local=store is not None))
        say(f"unpacking {source.archive}")
        place = _unpacked(source, archives, workplace)
        touchdirs(final.parent)
        try:
            os.replace(place, final)
        except OSError as error:
            raise ResourceError(f"{shown(final)}: cannot be made: {error.strerror or error}") from error
    if not keep:
        shutil.rmtree(workplace, ignore_errors=True)
        with contextlib.suppress(OSError):  # archives of other data sets are in it
            workplace.parent.rmdir()
    return final


def find_source(name: str) -> Source:
    """Return what is known of the data set `name`; UnknownNameError where nothing is."""
    if name.lower() not in SOURCES:
        raise UnknownNameError(f"data set {name!r}: is not known.{nearest(name, SOURCES)} Known: {listed(SOURCES)}.")
    return SOURCES[name.lower()]


def missing_files(folder: Path, source: Source) -> list[str]:
    """Return the entries of `source.tree` that have no file in `folder`."""
    return [entry for entry in source.tree if not any(any(folder.glob(pattern)) for pattern in _patterns(entry))]


def _unpacked(source: Source, archives: list[Path], workplace: Path) -> Path:
    """Unpack archives and return the folder that becomes the data set; archives that are damaged are removed."""
    for stale in (*workplace.glob("unpacked*"), *workplace.glob(".ssseg-partial-*")):
        shutil.rmtree(stale)
    require_readable(archives)
    unpacked = workplace / "unpacked"
    try:
        unpack(archives, unpacked)
        place = arranged(source, unpacked)
    except (ArchiveError, DataError):
        for archive in archives:
            archive.unlink()
        shutil.rmtree(unpacked, ignore_errors=True)
        raise
    return place


def arranged(source: Source, unpacked: Path) -> Path:
    """Bring what was unpacked into its documented shape and return its folder.

    Raises:
        DataError: it is not there.
    """
    inside = [entry for entry in sorted(unpacked.iterdir()) if entry.is_dir()]
    if source.moves:
        return _moved(source, unpacked, inside)
    candidates = [unpacked / source.root, unpacked / Path(source.root).name, *inside, unpacked]
    lacking: list[str] = []
    for place in candidates:
        if not place.is_dir():
            continue
        if source.inner and (place / source.inner).is_file():
            _unpack_inner(place, source.inner)
        lacking = missing_files(place, source)
        if not lacking:
            return place
    raise DataError(
        f"{source.archive}: does not hold {source.root}: {listed(lacking)} is missing; it holds "
        f"{listed((entry.name for entry in sorted(unpacked.iterdir())), limit=8)}"
    )


def _moved(source: Source, unpacked: Path, inside: list[Path]) -> Path:
    place = unpacked / "arranged"
    place.mkdir()
    for old, new in (source.moves or {}).items():
        found = next((parent / old for parent in (*inside, unpacked) if (parent / old).exists()), None)
        if found is None:
            raise DataError(f"{source.archive}: does not hold {old}")
        (place / new).parent.mkdir(parents=True, exist_ok=True)
        found.rename(place / new)
    for name, content in (source.files or {}).items():
        (place / name).write_text(content, encoding="utf-8")
    lacking = missing_files(place, source)
    if lacking:
        raise DataError(f"{source.archive}: does not hold {listed(lacking)}")
    return place


def _unpack_inner(place: Path, name: str) -> None:
    """Unpack an archive that lies in a folder into that folder, where its files come beside others."""
    beside = place / ".ssseg-inner"
    unpack(place / name, beside)
    for path in sorted(beside.rglob("*")):
        target = place / path.relative_to(beside)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            path.rename(target)
    shutil.rmtree(beside)
    (place / name).unlink()


def _patterns(entry: str) -> list[str]:
    """`a/{b,c}.txt` as `a/b.txt` and `a/c.txt`."""
    match = re.search(r"\{([^}]*)\}", entry)
    if not match:
        return [entry]
    return [entry[: match.start()] + word + entry[match.end() :] for word in match[1].split(",")]


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time prepare a data set; the system lets go when the process ends."""
    with (folder / "lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
