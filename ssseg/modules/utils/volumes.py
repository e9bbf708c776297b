"""A file that was cut into volumes."""

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Volumes(io.RawIOBase):
    """Files that are read as one, one after the other."""

    def __init__(self, paths: Sequence[Path]):
        self._streams = [path.open("rb") for path in paths]
        self._ends: list[int] = []
        for path in paths:
            self._ends.append((self._ends or [0])[-1] + path.stat().st_size)
        self.size, self._position = self._ends[-1], 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError(f"a position before the beginning: {start + offset}")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        number = next((number for number, end in enumerate(self._ends) if self._position < end), None)
        if number is None:
            return 0
        begin = self._ends[number - 1] if number else 0
        self._streams[number].seek(self._position - begin)
        count = self._streams[number].readinto(memoryview(buffer)[: self._ends[number] - self._position])
        self._position += count
        return count

    def close(self) -> None:
        for stream in self._streams:
            stream.close()
        super().close()
