"""All label maps of a training set in memory, run-length coded."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from .labelcodes import RunLengthLabels


@dataclass(frozen=True)
class LabelStore:
    """Label maps by the paths of their files, in four arrays: worker processes that are forked share their memory.

    Attributes:
        numbers: path -> place in the other attributes.
        shapes: (N, 2), height and width.
        bounds: (N + 1,), where the runs of each begin and end.
        starts, labels: the runs of all, see `RunLengthLabels`.
    """

    numbers: dict[str, int]
    shapes: np.ndarray
    bounds: np.ndarray
    starts: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, entries: Iterable[tuple[str, RunLengthLabels]]) -> Self:
        """Join label maps with the paths of their files."""
        pairs = list(entries)
        coded = [labels for _, labels in pairs]
        return cls(
            numbers={path: number for number, (path, _) in enumerate(pairs)},
            shapes=np.array([labels.shape for labels in coded], np.int64).reshape(-1, 2),
            bounds=np.cumsum([0, *(len(labels.starts) for labels in coded)]),
            starts=np.concatenate([np.empty(0, np.uint32), *(labels.starts for labels in coded)]),
            labels=np.concatenate([np.empty(0, np.int16), *(labels.labels for labels in coded)]),
        )

    @property
    def nbytes(self) -> int:
        """How much memory the runs take."""
        return int(self.starts.nbytes + self.labels.nbytes)

    def get(self, path: str) -> RunLengthLabels | None:
        """Return the label map of a file, None where it has none."""
        number = self.numbers.get(path)
        if number is None:
            return None
        height, width = self.shapes[number].tolist()
        runs = slice(*self.bounds[number : number + 2].tolist())
        return RunLengthLabels((height, width), self.starts[runs], self.labels[runs])
