"""Reads all label maps of a training set into memory before a run, for the option `label_cache`."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from ..modules.datasets.labelcodes import RunLengthLabels
from ..modules.datasets.labelstore import LabelStore
from ..modules.parallel.dataloader import BatchLoader
from ..modules.parallel.order import SampleKey
from ..modules.utils.errors import DataError
from .progress import progress

_CHUNK = 16  # files that a process is handed at once

Job = tuple[Any, str]  # data set, path of a label file


def cache_labels(dataset: Any, *, workers: int = 0) -> int:
    """Give those data sets that have the option `label_cache` their label maps; return how many bytes these take.

    Files that cannot be used are left out: whoever reads them learns why.

    Args:
        dataset: of mode TRAIN; changed in place. Of a MultipleDataset, its data sets are.
        workers: processes that read; 0 reads in this one.
    """
    parts = getattr(dataset, "datasets", None) or {"": dataset}
    chosen = [part for part in parts.values() if part.options.label_cache and not part.options.raw_cache]
    jobs = [(part, path) for part in chosen for path in dict.fromkeys(map(part.ann_path, part.all_imageids()))]
    coded = _coded(jobs, workers)
    total = 0
    with progress("label_cache", len(jobs)) as meter:
        for part in chosen:
            entries = []
            for _, path in (job for job in jobs if job[0] is part):
                labels = next(coded)
                entries += [] if labels is None else [(path, labels)]
                meter.advance()
            part.label_store = LabelStore.of(entries)
            total += part.label_store.nbytes
    return total


class _Coding:
    """Label files as a data set whose samples are their run-length codes."""

    def __init__(self, jobs: Sequence[Job]):
        self.jobs = jobs

    def __getitem__(self, key: SampleKey) -> RunLengthLabels | None:
        dataset, path = self.jobs[key[2]]
        try:
            return RunLengthLabels.of(dataset.read_labels(path))
        except DataError:
            return None


def _coded(jobs: Sequence[Job], workers: int) -> Iterator[RunLengthLabels | None]:
    samples: list[SampleKey] = [(0, 0, number) for number in range(len(jobs))]
    chunks = [samples[first : first + _CHUNK] for first in range(0, len(samples), _CHUNK)]
    with torch.random.fork_rng(devices=[]):  # a loader draws a seed, which is not to change the model's first weights
        loader = iter(BatchLoader(_Coding(jobs), lambda: chunks, list, workers=min(workers, len(chunks))))
        first: list[RunLengthLabels | None] = next(loader, [])
    yield from first
    for coded in loader:
        yield from coded
