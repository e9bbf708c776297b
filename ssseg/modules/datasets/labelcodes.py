"""Label maps that lie in memory or on disk in fewer bytes, and of which parts are read."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

Window = tuple[slice, slice]


class LabelCodes(Protocol):
    """A label map (height, width) whose parts are had by indexing."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(height, width)."""

    def __getitem__(self, window: Window) -> np.ndarray:
        """Return the codes (h, w) of a window."""

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the int16 labels that codes stand for."""


@dataclass(frozen=True)
class PlainLabels:
    """Labels as they are, (H, W)."""

    labels: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.labels.shape

    def __getitem__(self, window: Window) -> np.ndarray:
        return self.labels[window]

    def decode(self, codes: np.ndarray) -> np.ndarray:
        return codes


@dataclass(frozen=True)
class ByteLabels:
    """Labels 0..254 and the ignored one, as 255, in a byte each.

    Attributes:
        codes: (H, W) uint8.
        ignore_index: what 255 stands for.
    """

    IGNORED = 255

    codes: np.ndarray
    ignore_index: int

    @classmethod
    def fits(cls, num_classes: int) -> bool:
        """Whether the labels of so many classes have a byte each."""
        return num_classes <= cls.IGNORED

    @classmethod
    def of(cls, labels: np.ndarray, ignore_index: int) -> "ByteLabels":
        """Encode labels (H, W), 0..254 or `ignore_index`."""
        return cls(np.where(labels == ignore_index, cls.IGNORED, labels).astype(np.uint8), ignore_index)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.codes.shape

    def __getitem__(self, window: Window) -> np.ndarray:
        return self.codes[window]

    def decode(self, codes: np.ndarray) -> np.ndarray:
        table = np.arange(256, dtype=np.int16)
        table[self.IGNORED] = self.ignore_index
        return cv2.LUT(codes, table) if codes.size else codes.astype(np.int16)


@dataclass(frozen=True)
class RunLengthLabels:
    """Labels as runs of equal ones along the rows: an ADE20k label map of 350,000 pixels takes 15 KiB.

    Attributes:
        shape: (height, width).
        starts: (runs,) uint32, where each run begins, counted row by row.
        labels: (runs,) int16, its label.
    """

    shape: tuple[int, int]
    starts: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray) -> "RunLengthLabels":
        """Encode labels (H, W) int16."""
        flat = np.ascontiguousarray(labels).ravel()
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        starts = np.concatenate([[0], changes]).astype(np.uint32)
        return cls((labels.shape[0], labels.shape[1]), starts, flat[starts])

    @property
    def nbytes(self) -> int:
        return int(self.starts.nbytes + self.labels.nbytes)

    def __getitem__(self, window: Window) -> np.ndarray:
        """Return the labels of a window; the rows above and below it are not decoded."""
        rows, columns = window
        first, last, _ = rows.indices(self.shape[0])
        width = self.shape[1]
        begin, end = first * width, last * width
        if begin >= end:
            return np.empty((0, width), np.int16)[:, columns]
        one, other = np.searchsorted(self.starts, [begin + 1, end]).tolist()  # the run that holds `begin` comes first
        bounds = np.append(self.starts[one - 1 : other].astype(np.int64), end)
        bounds[0] = begin
        decoded = np.repeat(self.labels[one - 1 : other], np.diff(bounds))
        return decoded.reshape(last - first, width)[:, columns]

    def decode(self, codes: np.ndarray) -> np.ndarray:
        return codes


EVERYTHING = (slice(None), slice(None))


def whole(labels: LabelCodes) -> np.ndarray:
    """Return a label map (H, W) as an int16 array."""
    return labels.decode(labels[EVERYTHING])
