"""A raw cache: the decoded pixels and labels of a data set in one file, of which any part is read without the rest.

A folder with `pixels.bin`, images and label maps one after the other, and `index.json`, which says where each lies and
of which files it was made. The index is written last: a folder without one is no cache yet. `ssseg data cache` makes
it.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.errors import DataError, listed
from ..utils.filekinds import shown
from ..utils.jsontext import parse_json
from .labelcodes import ByteLabels, LabelCodes, PlainLabels

FORMAT = 1
PIXELS, INDEX = "pixels.bin", "index.json"
_WHERE = "SEGMENTOR_CFG['dataset']['raw_cache']"


@dataclass(frozen=True)
class FileState:
    """What tells a file from what it was before."""

    size: int
    mtime_ns: int
    digest: str

    @classmethod
    def of(cls, path: str) -> "FileState":
        """Look at a file; DataError where it cannot be read."""
        try:
            status = os.stat(path)
            with open(path, "rb") as stream:
                digest = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        except OSError as error:
            raise DataError(f"{shown(path)}: cannot be read: {error.strerror or error}") from error
        return cls(status.st_size, status.st_mtime_ns, digest)

    def is_of(self, path: str) -> bool:
        """Whether a file still holds what it held. One that was copied or touched is read to find out."""
        try:
            status = os.stat(path)
        except OSError:
            return False
        if status.st_size != self.size:
            return False
        return status.st_mtime_ns == self.mtime_ns or FileState.of(path).digest == self.digest


@dataclass(frozen=True)
class Entry:
    """One image with its label map.

    Attributes:
        offset: of the image in the file of pixels, in bytes; the label map follows it.
        shape, dtype: of the image, (height, width, channels).
        label_bytes: 1 for `ByteLabels`, 2 for int16.
        image, label: the files.
        reading: how they were read, see `reading_of`.
    """

    offset: int
    shape: tuple[int, int, int]
    dtype: str
    label_bytes: int
    image: FileState
    label: FileState
    reading: str

    @property
    def image_bytes(self) -> int:
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize

    @property
    def end(self) -> int:
        return self.offset + self.image_bytes + self.shape[0] * self.shape[1] * self.label_bytes

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Entry":
        states = {name: FileState(**record[name]) for name in ("image", "label")}
        height, width, channels = record["shape"]
        return cls(**{**record, **states, "shape": (height, width, channels)})


class RawCache:
    """Gives images and label maps that a raw cache holds.

    Args:
        folder: of the cache.

    Raises:
        DataError: it is none, or not finished.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(folder)
        self.entries = read_index(self.folder)
        self.pixels: np.memmap[Any, Any] | None = None
        end = max((entry.end for entry in self.entries.values()), default=0)
        path = self.folder / PIXELS
        if not path.is_file() or path.stat().st_size < end:
            raise DataError(f"{_WHERE}: {path} is missing or cut short. {command(self.folder)}")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "pixels": None}  # a process that gets it maps the file itself

    def read(self, imagepath: str, annpath: str, ignore_index: int) -> tuple[np.ndarray, LabelCodes]:
        """Return an image (H, W, C), which is read from the disk where it is used, and its label map.

        Raises:
            DataError: the cache does not have it.
        """
        entry = self.entries.get(key_of(imagepath, annpath))
        if entry is None:
            raise DataError(f"{_WHERE}: {shown(imagepath)} is not in {self.folder}. {command(self.folder)}")
        if self.pixels is None:
            self.pixels = np.memmap(self.folder / PIXELS, np.uint8, "r")
        behind = entry.offset + entry.image_bytes
        image = self.pixels[entry.offset : behind].view(entry.dtype).reshape(entry.shape)
        codes = self.pixels[behind : entry.end]
        size = entry.shape[:2]
        if entry.label_bytes == 1:
            return np.asarray(image), ByteLabels(np.asarray(codes.reshape(size)), ignore_index)
        return np.asarray(image), PlainLabels(np.asarray(codes.view(np.int16).reshape(size)))

    def check(self, pairs: Iterable[tuple[str, str]], reading: str) -> None:
        """Require that the cache has all pairs of an image and a label file as they are on the disk.

        Raises:
            DataError: some are missing, have changed, or are read in another way now: how many, and the first of them.
        """
        stale = [image for image, label in pairs if not is_fresh(self.entries, image, label, reading)]
        if stale:
            first = listed(map(shown, stale), limit=5)
            raise DataError(
                f"{_WHERE}: {len(stale)} images are not in {self.folder}, or they, their label maps or the classes "
                f"have changed since: {first}. {command(self.folder)}"
            )


def read_index(folder: Path) -> dict[str, Entry]:
    """Return the entries of a cache; DataError where it is none or not finished."""
    try:
        content = parse_json((folder / INDEX).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']}, not {FORMAT}")
        return {key: Entry.from_json(record) for key, record in content["entries"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = "it has no index; it was not finished" if isinstance(error, FileNotFoundError) else str(error)
        raise DataError(f"{_WHERE}: {folder} is no raw cache: {reason}. {command(folder)}") from error


def is_fresh(entries: dict[str, Entry], imagepath: str, annpath: str, reading: str) -> bool:
    """Whether there is an entry of these two files as they are now, read in this way."""
    entry = entries.get(key_of(imagepath, annpath))
    if entry is None or entry.reading != reading:
        return False
    return entry.image.is_of(imagepath) and entry.label.is_of(annpath)


def key_of(imagepath: str, annpath: str) -> str:
    """The name of a pair in the index."""
    return f"{os.path.abspath(imagepath)}\n{os.path.abspath(annpath)}"


def reading_of(dataset: Any) -> str:
    """Return what decoded pixels and labels depend on beside the files."""
    options = dataset.options
    reading = [dataset.label_map.to_json(), options.auto_correct_invalid_seg_target, options.in_channels]
    kind = type(dataset).__qualname__
    return hashlib.blake2b(json.dumps([kind, *reading]).encode(), digest_size=16).hexdigest()


def command(folder: str | os.PathLike[str]) -> str:
    """Say how the cache is made or brought up to date."""
    return f"Run `ssseg data cache CONFIG --out {folder}`, which reads only what has changed."
