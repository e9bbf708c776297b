"""The pictures of a video, one at a time: of a folder of pictures, of a video file, or of arrays.

Only the picture that is asked for is read, so that a long video needs no more memory than a short one.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import DataError, ImageError
from .filekinds import shown
from .images import read_bytes, read_image

Picture = NDArray[np.uint8]
"""(H, W, 3), RGB."""

SUFFIXES = (".jpg", ".jpeg", ".png")
MAX_HELD = 256 << 20  # bytes


class Pictures(Protocol):
    """Pictures in a row."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> Picture:
        """Return picture `index`, in 0 .. len - 1.

        Raises:
            DataError: it cannot be read.
        """
        ...

    def name(self, index: int) -> str:
        """Say which picture that is."""
        ...


def open_video(source: str | os.PathLike[str] | Sequence[Any] | NDArray[Any]) -> Pictures:
    """Return the pictures of a video.

    Args:
        source: a folder of pictures whose names are numbers, such as `0.jpg` or `00000.png`; a video file; an array
            (T, H, W, 3) uint8, RGB; or a sequence of such arrays (H, W, 3), or of pictures of Pillow.

    Raises:
        DataError: there are no pictures, or they cannot be read.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if path.is_dir():
            return PictureFolder(path)
        if not path.is_file():
            raise DataError(f"{shown(path)}: there is no such folder of pictures or video file.")
        return VideoFile(path)
    return PictureList(source)


class PictureFolder:
    """The pictures of a folder, in the order of the numbers that are their names.

    Files of up to `MAX_HELD` bytes in all are held as they are, so that it does not matter when the folder is deleted.

    Raises:
        DataError: there are none, a name is no number, or two are the same.
    """

    def __init__(self, folder: Path):
        numbers: dict[int, Path] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() not in SUFFIXES or not path.is_file():
                continue
            if not (path.stem.isascii() and path.stem.isdigit()):
                raise DataError(f"{shown(path)}: the pictures of a video are named by numbers: 0{path.suffix}, 1 ...")
            if int(path.stem) in numbers:
                raise DataError(f"{shown(path)}: has the number of {shown(numbers[int(path.stem)].name)}.")
            numbers[int(path.stem)] = path
        if not numbers:
            raise DataError(f"{shown(folder)}: holds no pictures named by numbers, such as 0.jpg; nor 0.jpeg or 0.png.")
        self.paths = [numbers[number] for number in sorted(numbers)]
        small = sum(path.stat().st_size for path in self.paths) <= MAX_HELD
        self.held = [read_bytes(path) for path in self.paths] if small else None

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> Picture:
        """Return picture `index`; ImageError where the file is no picture or damaged."""
        data = None if self.held is None else self.held[index]
        return np.ascontiguousarray(read_image(self.paths[index], data)[..., ::-1])

    def name(self, index: int) -> str:
        """Return the path of picture `index`."""
        return shown(self.paths[index])


class VideoFile:
    """The pictures of a video file that OpenCV reads. They are counted first: what headers say may be wrong.

    Raises:
        DataError: it holds none.
    """

    def __init__(self, path: Path):
        self.path = path
        self.capture = cv2.VideoCapture(str(path))
        self.count = 0
        while self.capture.grab():
            self.count += 1
        if not self.count:
            raise DataError(f"{shown(path)}: is no video that OpenCV reads.")
        self.next = self.count

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> Picture:
        """Return picture `index`; ImageError where it cannot be decoded."""
        if index != self.next:
            self.capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        good, picture = self.capture.read()
        self.next = index + 1
        if not good:
            raise ImageError(f"{self.name(index)}: cannot be decoded.")
        return np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8)

    def name(self, index: int) -> str:
        """Return the path and the number of picture `index`."""
        return f"{shown(self.path)}: picture {index}"


class PictureList:
    """Arrays, or pictures of Pillow.

    Raises:
        DataError: there are none.
    """

    def __init__(self, pictures: Sequence[Any] | NDArray[Any]):
        if not len(pictures):
            raise DataError("video: holds no pictures.")
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, index: int) -> Picture:
        """Return picture `index`; ImageError where it is something else."""
        picture = self.pictures[index]
        picture = np.asarray(picture.convert("RGB") if hasattr(picture, "convert") else picture)
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or 0 in picture.shape:
            raise ImageError(
                f"{self.name(index)}: is {picture.shape} {picture.dtype}, must be (H, W, 3) uint8: RGB in 0..255."
            )
        return picture

    def name(self, index: int) -> str:
        """Say which picture of the list that is."""
        return f"video: picture {index}"
