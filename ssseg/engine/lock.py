"""Keeps two runs out of one work directory."""

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..modules.utils.distributed import ismainprocess
from ..modules.utils.errors import ResourceError

try:
    import fcntl
except ImportError:  # Windows: no advisory locks, so no protection there
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
_STRAGGLERS = 15.0  # seconds


@contextmanager
def work_dir_lock(work_dir: Path) -> Iterator[None]:
    """Hold `work_dir` for this run. The system releases the lock when the process ends, however it ends.

    Raises:
        ResourceError: another run holds it, whose process and host are named, or it cannot be written.
    """
    if fcntl is None or not ismainprocess():
        yield
        return
    try:
        opened = Path(work_dir, LOCK).open("a+")  # noqa: SIM115  (what fails in the block is no error of this)
    except OSError as error:
        raise ResourceError(f"{work_dir}: cannot be written to: {error.strerror or error}") from error
    with opened as file:
        _take(file, work_dir)
        file.seek(0)
        file.truncate()
        file.write(f"pid {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def _take(file: IO[str], work_dir: Path) -> None:
    """Lock the file. The data workers of a run that was killed hold its lock for some seconds more: wait for them."""
    deadline = time.monotonic() + _STRAGGLERS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            if not _is_dead(holder) or time.monotonic() > deadline:
                raise ResourceError(f"{work_dir}: a run is on in this work_dir ({holder}). Choose another.") from error
        time.sleep(0.1)


def _is_dead(holder: str) -> bool:
    """Whether the holder is a process of this machine that is no more."""
    match = re.fullmatch(rf"pid (\d+) on {re.escape(socket.gethostname())}", holder)
    if not match:
        return False
    try:
        os.kill(int(match[1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
