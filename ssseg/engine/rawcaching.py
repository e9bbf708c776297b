"""Makes a raw cache, or brings one up to date: `modules/datasets/rawcache.py` says what that is.

Pixels are appended to one file. What has safely arrived there is noted in a journal, so that a run that was stopped
goes on where it was; what is noted nowhere is overwritten. Only the finished index makes the folder a cache.
"""

import fcntl
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..modules.datasets.rawcache import FORMAT, INDEX, PIXELS, Entry, is_fresh, key_of, read_index, reading_of
from ..modules.utils.errors import DataError, ResourceError
from ..modules.utils.files import touchdirs, write_atomically
from ..modules.utils.jsontext import parse_json
from .dataaudit.sources import open_sources
from .progress import progress
from .rawdecoding import Job, bytes_of, decoded

JOURNAL = "journal.jsonl"
_SAFE_EVERY = 64  # images; then the disk is waited for
_SPARE = 64 * 2**20  # bytes of the disk that stay free


@dataclass(frozen=True)
class Plan:
    """What there is to do.

    Attributes:
        jobs: all pairs of the training set.
        entries: those that the cache, or what was begun of one, already has.
        todo: the jobs that are left.
        needed: bytes that they take.
    """

    jobs: list[Job]
    entries: dict[str, Entry]
    todo: list[Job]
    needed: int


def make_raw_cache(
    cfg: Mapping[str, Any],
    folder: str | os.PathLike[str],
    *,
    workers: int = 0,
    dry_run: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Cache the training set of a `SEGMENTOR_CFG` in `folder`.

    Args:
        workers: processes that read; 0 reads in this one.
        dry_run: say what is needed and stop.
        say: takes a line about each step; the first tells how much disk space is needed.

    Raises:
        ConfigError: there is no data set.
        DataError: a file of it cannot be used.
        ResourceError: the disk is too small, or another process is at it.
    """
    folder = Path(folder)
    touchdirs(folder)
    with _locked(folder):
        plan = plan_raw_cache(cfg, folder)
        free = shutil.disk_usage(folder).free
        say(
            f"{len(plan.todo)} of {len(plan.jobs)} images have to be cached: {_size(plan.needed)} are needed, "
            f"{_size(free)} are free in {folder}"
        )
        if plan.needed + _SPARE > free:
            raise ResourceError(
                f"{folder}: the cache needs {_size(plan.needed)}, and {_size(_SPARE)} stay free, but the disk has "
                f"{_size(free)}. Nothing was written; choose another disk with --out."
            )
        if dry_run:
            return
        entries = _append(folder, plan, workers)
        kept = {key_of(job.image, job.label) for job in plan.jobs}
        _finish(folder, {key: entry for key, entry in entries.items() if key in kept})
        unused = max((entry.end for entry in entries.values()), default=0) - sum(
            entry.end - entry.offset for key, entry in entries.items() if key in kept
        )
        if unused:
            say(f"{_size(unused)} of {folder / PIXELS} are of files that changed; remove {folder} to start anew")
        say(f"done: dataset.raw_cache={folder.absolute()}")


def plan_raw_cache(cfg: Mapping[str, Any], folder: Path) -> Plan:
    """Return what is to be done, from the headers of the images and what `folder` holds."""
    jobs = _jobs(cfg)
    entries = _begun(folder)
    readings = {id(dataset): reading_of(dataset) for dataset in {id(job.dataset): job.dataset for job in jobs}.values()}
    todo = [job for job in jobs if not is_fresh(entries, job.image, job.label, readings[id(job.dataset)])]
    return Plan(jobs, entries, todo, sum(map(bytes_of, todo)))


def _jobs(cfg: Mapping[str, Any]) -> list[Job]:
    sources, findings = open_sources(cfg, ["train"])
    unusable = [finding.message for finding in findings if finding.kind == "unusable-set"]
    if unusable:
        raise DataError("\n".join(unusable))
    jobs: dict[str, Job] = {}
    for dataset in (source.dataset for source in sources):
        dataset.raw_cache = None  # the files are what counts here
        for imageid in dataset.all_imageids():
            job = Job(dataset, dataset.image_path(imageid), dataset.ann_path(imageid))
            jobs.setdefault(key_of(job.image, job.label), job)
    return list(jobs.values())


def _begun(folder: Path) -> dict[str, Entry]:
    """The entries of a cache, and those of one that was begun."""
    entries = read_index(folder) if (folder / INDEX).is_file() else {}
    pixels = folder / PIXELS
    length = pixels.stat().st_size if pixels.is_file() else 0
    if (folder / JOURNAL).is_file():
        for line in (folder / JOURNAL).read_text(encoding="utf-8").splitlines():
            try:
                key, record = parse_json(line)
                entries[key] = Entry.from_json(record)
            except (ValueError, KeyError, TypeError):
                break  # a line that a crash cut short is the last
    return {key: entry for key, entry in entries.items() if entry.end <= length}


def _append(folder: Path, plan: Plan, workers: int) -> dict[str, Entry]:
    """Write what is left behind what is there; return all entries."""
    entries = dict(plan.entries)
    offset = max((entry.end for entry in entries.values()), default=0)
    waiting: dict[str, Entry] = {}
    try:
        with (
            (folder / PIXELS).open("r+b" if (folder / PIXELS).is_file() else "w+b") as pixels,
            (folder / JOURNAL).open("w", encoding="utf-8") as journal,
            progress("cache", len(plan.jobs), len(plan.jobs) - len(plan.todo)) as meter,
        ):
            _note(journal, entries)
            pixels.seek(offset)
            pixels.truncate()
            for job, (entry, image, labels) in zip(plan.todo, decoded(plan.todo, workers), strict=True):
                pixels.write(image)
                pixels.write(labels)
                waiting[key_of(job.image, job.label)] = placed = replace(entry, offset=offset)
                offset = placed.end
                if len(waiting) == _SAFE_EVERY:
                    entries |= _safe(pixels, journal, waiting)
                meter.advance()
            entries |= _safe(pixels, journal, waiting)
    except OSError as error:
        raise ResourceError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return entries


def _safe(pixels: Any, journal: io.TextIOWrapper, waiting: dict[str, Entry]) -> dict[str, Entry]:
    """Wait until the disk has the pixels, then note them."""
    pixels.flush()
    os.fsync(pixels.fileno())
    _note(journal, waiting)
    arrived = dict(waiting)
    waiting.clear()
    return arrived


def _note(journal: io.TextIOWrapper, entries: Mapping[str, Entry]) -> None:
    journal.writelines(json.dumps([key, entry.to_json()]) + "\n" for key, entry in entries.items())
    journal.flush()


def _finish(folder: Path, entries: Mapping[str, Entry]) -> None:
    index = {"format": FORMAT, "entries": {key: entry.to_json() for key, entry in entries.items()}}
    content = json.dumps(index).encode()
    write_atomically(folder / INDEX, lambda stream: stream.write(content))
    (folder / JOURNAL).unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time write a cache; the system lets go when it ends."""
    with (folder / "lock").open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ResourceError(f"{folder}: another `ssseg data cache` is writing it") from error
        yield


def _size(number: float) -> str:
    return f"{number / 1e9:,.2f} GB" if number >= 1e8 else f"{number / 1e6:,.2f} MB"
