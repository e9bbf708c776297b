"""A sample's random numbers as a function of (seed, epoch, index), whoever reads it and whatever was read before."""

from typing import Any, NamedTuple

import torch

from ..utils.seeds import seed_generators


class SampleKey(NamedTuple):
    """Names one reading of one sample. A plain tuple of the three serves as well.

    Attributes:
        seed: of the run.
        epoch: counted from 1; 0 in evaluation.
        index: into the data set.
    """

    seed: int
    epoch: int
    index: int  # type: ignore[assignment]


class SeededDataset(torch.utils.data.Dataset[Any]):
    """Reads samples by `SampleKey`: seeds the global generators, sets the epoch, reads.

    Any number of workers then gives the same samples, in any order, and nothing has to be saved to read on after an
    interruption, even with transforms of users that draw from the global generators. The generators stay as the
    sample leaves them; the training loop seeds them for each step, so that the worker count changes nothing there.

    Args:
        dataset: indexed by integers; its attribute `epoch` is set before each read.
    """

    def __init__(self, dataset: Any):
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: SampleKey | tuple[int, int, int]) -> Any:
        _, self.dataset.epoch, index = key
        seed_generators(*key)
        return self.dataset[index]

    def name_of(self, key: SampleKey | tuple[int, int, int]) -> str:
        """Return the id of a sample, for messages."""
        ids = getattr(self.dataset, "imageids", ())
        return str(ids[key[2] % len(ids)]) if len(ids) else f"sample {key[2]}"
