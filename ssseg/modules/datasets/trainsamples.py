"""Training samples as a loop reads them: what to take in place of one that cannot be used, and what to count."""

from typing import Any

import numpy as np
import torch

from ..utils.errors import DataError
from ..utils.labelmap import IGNORE_INDEX
from .seeding import SampleKey, SeededDataset

ATTEMPTS = 20  # samples drawn in place of one before it is clear that the data set as a whole cannot be read


class TrainSamples(torch.utils.data.Dataset[Any]):
    """Reads samples by `SampleKey`, as `SeededDataset` does.

    With `bad_samples={"skip": n}` in the data set's options, another sample is read in place of one that raises a
    DataError. Which one follows from the key alone, so that any number of workers, and a run that goes on, read the
    same.

    A sample has two more entries:
        skipped: messages of the samples that could not be used, in place of which it stands.
        unlabelled: whether all its pixels are ignored.

    Args:
        dataset: a data set of mode TRAIN.

    Raises (while reading):
        DataError: a sample cannot be used and the option is "raise"; or `ATTEMPTS` in a row cannot be.
    """

    def __init__(self, dataset: Any):
        self.samples = SeededDataset(dataset)
        self.skips = skip_budget(dataset) is not None
        self.ignore_index = getattr(dataset, "ignore_index", IGNORE_INDEX)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, key: SampleKey | tuple[int, int, int]) -> Any:
        seed, epoch, index = key
        others = np.random.Generator(np.random.PCG64([seed, epoch, index]))
        skipped: list[str] = []
        while True:
            try:
                sample = self.samples[seed, epoch, index]
            except DataError as error:
                if not self.skips:
                    raise
                skipped.append(str(error))
                if len(skipped) == ATTEMPTS:
                    raise DataError(f"{ATTEMPTS} samples in a row cannot be used; the last: {error}") from error
                index = int(others.integers(len(self)))
            else:
                return {**sample, "skipped": skipped, "unlabelled": self._is_unlabelled(sample)}

    def name_of(self, key: SampleKey | tuple[int, int, int]) -> str:
        """Return the id of the sample that a key asks for, for messages."""
        return self.samples.name_of(key)

    def _is_unlabelled(self, sample: dict[str, Any]) -> bool:
        labels = sample.get("seg_target")
        return labels is not None and not bool((labels != self.ignore_index).any())


def skip_budget(dataset: Any) -> int | None:
    """Return how many samples a run on `dataset` may skip; None where the first one is an error."""
    budget: int | None = getattr(getattr(dataset, "options", None), "skip_budget", None)
    return budget
