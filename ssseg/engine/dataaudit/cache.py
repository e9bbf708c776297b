"""Records of earlier audits, for files that have not changed since."""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from ...modules.utils.errors import DataError
from ...modules.utils.files import touchdirs, write_atomically
from ...modules.utils.jsontext import parse_json
from .records import Record

FORMAT = 1
SECONDS_BETWEEN_SAVES = 30.0


class RecordCache:
    """Keeps records in a JSON file, by the paths, sizes and times of what they were made of.

    Args:
        path: of the file; None keeps nothing. It is saved now and then, so that an audit that is stopped can go on.

    Raises:
        DataError: the file is no such cache.
    """

    def __init__(self, path: str | os.PathLike[str] | None):
        self.path = None if path is None else Path(path)
        self.entries: dict[str, Any] = {}
        self.saved = time.monotonic()
        if self.path is not None and self.path.exists():
            try:
                content = parse_json(self.path.read_text(encoding="utf-8"))
                known, self.entries = content["format"] == FORMAT, dict(content["records"])
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise DataError(f"{self.path}: is no cache of `ssseg data check`: {error!r}") from error
            if not known:
                self.entries = {}

    def get(self, key: str) -> Record | None:
        """Return what was kept under `key`; nothing where a file could not be looked at."""
        entry = self.entries.get(key) if key else None
        return None if entry is None else Record.from_json(entry)

    def put(self, key: str, record: Record) -> None:
        """Keep a record, and save the file where that was long ago."""
        if self.path is None or not key:
            return
        self.entries[key] = record.to_json()
        if time.monotonic() - self.saved > SECONDS_BETWEEN_SAVES:
            self.save()

    def save(self) -> None:
        """Write the file."""
        if self.path is not None:
            content = json.dumps({"format": FORMAT, "records": self.entries}).encode()
            touchdirs(self.path.absolute().parent)
            write_atomically(self.path, lambda stream: stream.write(content))
            self.saved = time.monotonic()


def reading_key(dataset: Any) -> str:
    """Return what the records of a data set depend on beside its files: how it reads them."""
    label_map, options = dataset.label_map.to_json(), dataset.options
    reading = [type(dataset).__qualname__, label_map, options.auto_correct_invalid_seg_target, options.data_pipelines]
    return _digest(reading)


def cache_key(reading: str, *paths: str) -> str:
    """Return what a record depends on: the files, and how they are read; "" where a file is not there."""
    try:
        states = [(os.path.abspath(path), os.stat(path).st_size, os.stat(path).st_mtime_ns) for path in paths]
    except (OSError, ValueError):
        return ""
    return _digest([reading, states])


def _digest(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, default=str).encode(), digest_size=16).hexdigest()
