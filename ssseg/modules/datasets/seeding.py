"""A sample's random numbers as a function of (seed, epoch, index), whoever reads it and whatever was read before."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

_WORD = 0xFFFFFFFF


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


def seed_sample(seed: int, epoch: int, index: int) -> None:
    """Seed the global generators of NumPy, Python and torch (CPU) for one sample, each with its own numbers.

    The three are hashed by NumPy's `SeedSequence`, whose output is the same on all platforms and in all versions.
    """
    entropy = (seed & _WORD, seed >> 32 & _WORD, epoch & _WORD, index & _WORD)
    words = np.random.SeedSequence(entropy).generate_state(8)
    np.random.seed(words[:4])
    random.seed(int.from_bytes(words[4:6].tobytes(), "little"))
    # torch.manual_seed would also visit every other device: 230 us instead of 1
    torch.default_generator.manual_seed(int.from_bytes(words[6:8].tobytes(), "little"))


class SeededDataset(torch.utils.data.Dataset[Any]):
    """Reads samples by `SampleKey`: seeds the global generators, sets the epoch, reads.

    Any number of workers then gives the same samples, in any order, and nothing has to be saved to read on after an
    interruption, even with transforms of users that draw from the global generators. In the main process (no workers)
    the generators get their states back, so that the model's own random numbers do not depend on the worker count.

    Args:
        dataset: indexed by integers; its attribute `epoch` is set before each read.
    """

    def __init__(self, dataset: Any):
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: SampleKey | tuple[int, int, int]) -> Any:
        seed, epoch, index = key
        is_worker = torch.utils.data.get_worker_info() is not None
        with contextlib.nullcontext() if is_worker else _states_kept():
            seed_sample(seed, epoch, index)
            self.dataset.epoch = epoch
            return self.dataset[index]


@contextlib.contextmanager
def _states_kept() -> Iterator[None]:
    states = np.random.get_state(), random.getstate(), torch.default_generator.get_state()
    try:
        yield
    finally:
        np.random.set_state(states[0])
        random.setstate(states[1])
        torch.default_generator.set_state(states[2])
