"""Finding the files of a data set, and saying what is there instead when they are not."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ..utils.errors import DataError, listed, nearest
from ..utils.filekinds import shown

IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".gif")


def require_folder(path: str | os.PathLike[str], what: str) -> None:
    """Raise a DataError that names `what`, the folder's role, unless `path` is a folder."""
    if not os.path.isdir(path):
        raise DataError(f"{what} {missing(path)}")


def find_file(stem: str, extension: str, exists: Callable[[str], bool] = os.path.exists) -> str:
    """Return `stem + extension`, or where that is missing the same file with another common extension or spelling.

    `a.jpg` then stands for `a.JPG`, `a.jpeg` or `a.png`, and `a_mask.png` for `a_mask.PNG`. Where none exists, the path
    as asked for is returned.
    """
    path = stem + extension
    if not extension or exists(path):
        return path
    suffix, kind = os.path.splitext(extension) if extension.rfind(".") > 0 else ("", extension)
    for other in dict.fromkeys((kind, *IMAGE_EXTENSIONS)):
        for spelling in (other.lower(), other.upper()):
            if exists(stem + suffix + spelling):
                return stem + suffix + spelling
    return path


class FolderListing:
    """Answers whether files exist from one listing a folder, which is cheap on network disks."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}

    def holds(self, path: str) -> bool:
        folder, name = os.path.split(path)
        return name in self.names(folder)

    def names(self, folder: str) -> frozenset[str]:
        """Return the names of what lies in a folder; nothing where it cannot be listed."""
        if folder not in self._names:
            self._names[folder] = frozenset(_entries(Path(folder)))
        return self._names[folder]


def missing(path: str | os.PathLike[str]) -> str:
    """Say that `path` does not exist, what its nearest existing folder holds, and which path was probably meant."""
    path = Path(os.path.abspath(path))
    if os.path.exists(path):
        return f"{shown(path)} is a {'folder, not a file' if os.path.isdir(path) else 'file, not a folder'}."
    folder = next(parent for parent in path.parents if os.path.isdir(parent))
    absent = path.relative_to(folder)
    entries = _entries(folder)
    holds = f"{shown(folder)} holds: {listed(entries, limit=12)}." if entries else f"{shown(folder)} is empty."
    fitting = next((other for other in _one_level_off(folder, absent, entries) if os.path.exists(other)), None)
    if fitting:
        hint = f" {shown(fitting)} exists: check the level of SEGMENTOR_CFG['dataset']['rootdir']."
    else:
        hint = nearest(absent.parts[0], entries)
    return f"{shown(path)} does not exist. {holds}{hint}"


def _one_level_off(folder: Path, absent: Path, entries: list[str]) -> Iterator[Path]:
    """Where the file would be if the root folder had been given one level too high, or too low."""
    for entry in entries:
        yield folder / entry / absent
    for level in range(1, len(folder.parts)):
        yield Path(*folder.parts[:level], *folder.parts[level + 1 :]) / absent


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:  # a folder that may be entered but not listed
        return []
