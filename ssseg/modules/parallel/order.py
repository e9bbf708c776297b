"""The order in which a run reads its samples: a function of the seed and the position, nothing to save or restore."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

SampleKey = tuple[int, int, int]  # (seed, epoch, index); epochs count from 1


@dataclass(frozen=True)
class TrainOrder:
    """Which samples each process reads at each iteration of a run.

    The samples of an iteration depend on seed, epoch and total batch only. Each process takes its share of them, so
    that any number of processes sees the same batches, and each share is cut into `accumulate` equal parts.

    Args:
        length: samples of an epoch.
        total_batch: samples of an iteration, over all processes and accumulated parts.
        max_epochs: passes over the data.
        seed: of the run.
        shuffle: a new permutation each epoch; else the order of the data set.
        drop_last: leave out what does not fill a batch; else the last batch is filled from the epoch's beginning.
        rank, world_size: this process, of how many.
        accumulate: parts of an iteration, one after the other.
    """

    length: int
    total_batch: int
    max_epochs: int
    seed: int = 0
    shuffle: bool = True
    drop_last: bool = True
    rank: int = 0
    world_size: int = 1
    accumulate: int = 1

    @property
    def iters_per_epoch(self) -> int:
        """Iterations (updates) of an epoch; 0 when the data set is smaller than a batch that must be full."""
        full = self.length // self.total_batch
        return full if self.drop_last or self.length % self.total_batch == 0 else full + 1

    @property
    def max_iters(self) -> int:
        """Iterations of the run."""
        return self.iters_per_epoch * self.max_epochs

    def epoch_order(self, epoch: int) -> np.ndarray:
        """Return the sample indices of an epoch in the order of reading, (iters_per_epoch * total_batch,)."""
        if self.shuffle:
            order = np.random.Generator(np.random.PCG64([self.seed, epoch])).permutation(self.length)
        else:
            order = np.arange(self.length)
        return np.resize(order, self.iters_per_epoch * self.total_batch)  # repeats from the start, or cuts

    def batches(self, start: int = 0) -> Iterator[list[SampleKey]]:
        """Yield this process's parts, `accumulate` an iteration, from iteration `start` to the end of the run."""
        part = self.total_batch // (self.world_size * self.accumulate)
        for epoch in range(start // max(self.iters_per_epoch, 1) + 1, self.max_epochs + 1):
            order = self.epoch_order(epoch).reshape(self.iters_per_epoch, self.accumulate, self.world_size, part)
            first = max(start - (epoch - 1) * self.iters_per_epoch, 0)
            for iteration in order[first:]:
                for shares in iteration:
                    yield [(self.seed, epoch, int(index)) for index in shares[self.rank]]


@dataclass(frozen=True)
class EvalOrder:
    """Which samples each process reads in an evaluation: every one exactly once, none padded or repeated."""

    length: int
    batch_size: int = 1
    seed: int = 0
    rank: int = 0
    world_size: int = 1

    def batches(self) -> Iterator[list[SampleKey]]:
        """Yield this process's batches."""
        mine = range(self.rank, self.length, self.world_size)
        for start in range(0, len(mine), self.batch_size):
            yield [(self.seed, 0, index) for index in mine[start : start + self.batch_size]]
