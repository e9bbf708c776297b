"""Keeps two runs out of one work directory."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..modules.utils.distributed import ismainprocess
from ..modules.utils.errors import ResourceError

try:
    import fcntl
except ImportError:  # Windows: no advisory locks, so no protection there
    fcntl = None  # type: ignore[assignment]


@contextmanager
def work_dir_lock(work_dir: Path) -> Iterator[None]:
    """Hold `work_dir` for this run. The system releases the lock when the process ends, however it ends.

    Raises:
        ResourceError: another run holds it; names its process and host.
    """
    if fcntl is None or not ismainprocess():
        yield
        return
    with Path(work_dir, ".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise ResourceError(f"{work_dir}: a run is on in this work_dir ({holder}). Choose another.") from error
        file.seek(0)
        file.truncate()
        file.write(f"pid {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield
