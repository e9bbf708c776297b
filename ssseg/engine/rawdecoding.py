"""Reads images and label maps for a raw cache, in several processes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ..modules.datasets.labelcodes import ByteLabels, whole
from ..modules.datasets.rawcache import Entry, FileState, reading_of
from ..modules.parallel.dataloader import BatchLoader
from ..modules.parallel.order import SampleKey
from ..modules.utils.errors import DataError

_CHUNK = 2  # images that a process is handed at once


@dataclass(frozen=True)
class Job:
    """An image and its label map that are to be cached."""

    dataset: Any
    image: str
    label: str


def bytes_of(job: Job) -> int:
    """How many bytes a pair takes, from the header of its image."""
    try:
        with Image.open(job.image) as picture:
            width, height = picture.size
    except Exception as error:  # as in utils/images.py: what parsers raise is no closed list
        raise DataError(f"{job.image}: cannot be read as a picture: {error}") from error
    channels = job.dataset.options.in_channels or 3
    return width * height * (channels + (1 if ByteLabels.fits(job.dataset.num_classes) else 2))


class _Decoding:
    """Jobs as a data set whose samples are entries without an offset, with the bytes that belong to them."""

    def __init__(self, jobs: Sequence[Job]):
        self.jobs = jobs

    def __getitem__(self, key: SampleKey) -> tuple[Entry, bytes, bytes]:
        job = self.jobs[key[2]]
        states = FileState.of(job.image), FileState.of(job.label)
        sample = job.dataset.read(job.image, job.label)
        image, labels = np.ascontiguousarray(sample["image"]), sample["seg_target"]
        labels = labels if isinstance(labels, np.ndarray) else whole(labels)
        narrow = ByteLabels.fits(job.dataset.num_classes)
        codes = ByteLabels.of(labels, job.dataset.ignore_index).codes if narrow else labels.astype(np.int16)
        entry = Entry(0, image.shape, image.dtype.name, codes.itemsize, *states, reading_of(job.dataset))
        return entry, image.tobytes(), np.ascontiguousarray(codes).tobytes()


def decoded(jobs: Sequence[Job], workers: int) -> Iterator[tuple[Entry, bytes, bytes]]:
    """Yield for each job its entry, without an offset, and the bytes of its image and of its label map.

    Args:
        workers: processes that read; 0 reads in this one.

    Raises:
        DataError: a file cannot be used.
    """
    samples: list[SampleKey] = [(0, 0, number) for number in range(len(jobs))]
    chunks = [samples[first : first + _CHUNK] for first in range(0, len(samples), _CHUNK)]
    for decoded in BatchLoader(_Decoding(jobs), lambda: chunks, list, workers=min(workers, len(chunks))):
        yield from decoded
