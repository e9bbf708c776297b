"""Examines all pairs of files, in several processes."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...modules.parallel.dataloader import BatchLoader
from ...modules.parallel.order import SampleKey
from ...modules.utils.errors import DataError
from ..progress import progress
from .cache import RecordCache, cache_key, reading_key
from .images import examine_image
from .labels import examine_label
from .listing import Pair, pairs_of
from .records import Record
from .sources import Source, open_sources

Job = tuple[Any, Pair]  # data set, files

_CHUNK = 4  # jobs that a process is handed at once


def examine(dataset: Any, pair: Pair) -> Record:
    """Read an image and its label map, and return what they are like."""
    record = Record(image=pair.image or "", label=pair.label or "")
    if pair.image:
        examine_image(record, dataset)
    if pair.label:
        examine_label(record, dataset, dataset.ann_path(pair.imageid))
    return record


def examine_all(jobs: Sequence[Job], *, workers: int, cache: RecordCache, title: str) -> list[Record]:
    """Return the record of each job, in their order; what the cache has is not read again.

    Args:
        workers: processes that read; 0 reads in this one.
    """
    readings = {number: reading_key(dataset) for number, dataset in {id(job[0]): job[0] for job in jobs}.items()}
    keys = [cache_key(readings[id(dataset)], *filter(None, (pair.image, pair.label))) for dataset, pair in jobs]
    records: list[Record | None] = [cache.get(key) for key in keys]
    todo = [number for number, record in enumerate(records) if record is None]
    try:
        with progress(title, len(jobs), len(jobs) - len(todo)) as meter:
            for number, record in zip(todo, _records(jobs, todo, workers), strict=True):
                records[number] = record
                cache.put(keys[number], record)
                meter.advance()
    finally:
        cache.save()
    return [record for record in records if record is not None]


def read_sets(
    cfg: Mapping[str, Any], splits: Sequence[str], *, workers: int = 0, cache: str | os.PathLike[str] | None = None
) -> Iterator[tuple[Source, list[Record]]]:
    """Yield each set of a `SEGMENTOR_CFG` with the records of its images; arguments as `audit` has them.

    Raises:
        ConfigError: there is no data set, or its cfg is wrong.
        DataError: a set cannot be opened, or `cache` is another kind of file.
    """
    kept = RecordCache(cache)
    sources, findings = open_sources(cfg, splits)
    unusable = [finding.message for finding in findings if finding.kind == "unusable-set"]
    if unusable:
        raise DataError("\n".join(unusable))
    for source in sources:
        pairs, _ = pairs_of(source)
        jobs = [(source.dataset, pair) for pair in pairs]
        yield source, examine_all(jobs, workers=workers, cache=kept, title=f"read {source.name}")


class _Examination:
    """Jobs as a data set whose samples are their records, which is what a `BatchLoader` distributes."""

    def __init__(self, jobs: Sequence[Job]):
        self.jobs = jobs

    def __getitem__(self, key: SampleKey) -> Record:
        return examine(*self.jobs[key[2]])


def _records(jobs: Sequence[Job], todo: Sequence[int], workers: int) -> Iterator[Record]:
    samples: list[SampleKey] = [(0, 0, number) for number in todo]
    chunks = [samples[first : first + _CHUNK] for first in range(0, len(samples), _CHUNK)]
    for records in BatchLoader(_Examination(jobs), lambda: chunks, list, workers=min(workers, len(chunks))):
        yield from records
