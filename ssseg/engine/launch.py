"""Starts the processes of a run on this machine and ends them together: the first failure is the last thing told."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from ..modules.utils.errors import DistributedError
from .failure import FILE, Failure, told

GRACE = 10.0  # seconds in which the other processes may end by themselves after one failed
_POLL = 0.05
_FORWARDED = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGUSR1", "SIGHUP") if hasattr(signal, name)]


@dataclass(frozen=True)
class Place:
    """Where the processes of this machine stand among those of all.

    Args:
        processes: on this machine. nodes: machines, all with as many processes. node: this one, from 0.
        address, port: where the first process listens; on a single machine a free port is taken where this one is not.
    """

    processes: int
    nodes: int = 1
    node: int = 0
    address: str = "127.0.0.1"
    port: int = 8888

    def variables(self, local_rank: int) -> dict[str, str]:
        """Return what torch.distributed reads from the environment."""
        rank, total = self.node * self.processes + local_rank, self.nodes * self.processes
        numbers = {"RANK": rank, "WORLD_SIZE": total, "LOCAL_RANK": local_rank, "MASTER_PORT": self.port}
        return {name: str(number) for name, number in numbers.items()} | {"MASTER_ADDR": self.address}


def launch(command: Sequence[str], place: Place, *, environment: Mapping[str, str] | None = None) -> int:
    """Run `command` in each process; return the exit code of the first failure, which is told last.

    Each process has its own process group, so that Ctrl-C reaches it once, from here; SIGTERM, SIGUSR1 and SIGHUP are
    passed on as well. Where one process fails, the others get a few seconds to end by themselves.

    Raises:
        DistributedError: the port is in use and other machines rely on it.
    """
    place = _with_free_port(place)
    with tempfile.TemporaryDirectory(prefix="ssseg-launch-") as folder:
        processes: list[subprocess.Popen[bytes]] = []
        with _forwarding(processes):
            for local_rank in range(place.processes):
                own = {FILE: str(Path(folder, str(local_rank))), **place.variables(local_rank)}
                threads = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // place.processes))}
                variables = {**threads, **os.environ, **(environment or {}), **own}
                processes.append(subprocess.Popen(command, env=variables, process_group=0))  # noqa: S603  (no shell)
            failures = _wait(processes, Path(folder))
    if not failures:
        return 0
    rank, first = min(failures.items(), key=lambda item: (item[1].follows, item[1].at))
    total = place.nodes * place.processes
    who = "" if first.code == 75 else f"process {place.node * place.processes + rank} of {total}: "
    sys.stderr.write(f"{who}{first.message}\n")
    return first.code


def _wait(processes: Sequence["subprocess.Popen[bytes]"], folder: Path) -> dict[int, Failure]:
    """Wait for all to end; return the failures, by local rank."""
    failures: dict[int, Failure] = {}
    running, deadline = dict(enumerate(processes)), float("inf")
    while running:
        for rank, process in list(running.items()):
            code = process.poll()
            if code is None:
                continue
            del running[rank]
            if code != 0 and rank not in failures:
                failures[rank] = told(folder / str(rank)) or _untold(code)
                deadline = min(deadline, time.monotonic() + GRACE)
        if time.monotonic() > deadline:
            for rank, process in running.items():
                failures[rank] = Failure("did not end after another failed, and was killed", 5, True, time.monotonic())
                _send(process, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(_POLL)
    return failures


def _untold(code: int) -> Failure:
    """What is known of a process that ended without a word."""
    if code > 0:
        return Failure(f"ended with code {code}", code, False, time.monotonic())
    name = signal.Signals(-code).name
    hint = " (out of memory?)" if name == "SIGKILL" else ""
    return Failure(f"was ended by {name}{hint}", DistributedError.exit_code, False, time.monotonic())


@contextmanager
def _forwarding(processes: Sequence["subprocess.Popen[bytes]"]) -> Iterator[None]:
    """Pass signals on to the processes."""

    def forward(number: int, _frame: FrameType | None) -> None:
        for process in processes:
            if process.poll() is None:
                _send(process, number)

    before: dict[int, Any] = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _send(process: "subprocess.Popen[bytes]", number: int) -> None:
    """Send a signal: to kill, to all of its group, data workers included."""
    with contextlib.suppress(ProcessLookupError):  # it ended by itself
        (os.killpg if number == signal.SIGKILL else os.kill)(process.pid, number)


def _with_free_port(place: Place) -> Place:
    """Return `place` with a port that nobody listens on."""
    if place.node != 0 or _is_free(place.port):
        return place
    if place.nodes > 1:
        raise DistributedError(
            f"--master_port: {place.port} is in use on this machine. Choose another one (PORT for the scripts), the "
            "same on all machines."
        )
    with socket.socket() as free:
        free.bind((place.address, 0))
        return Place(place.processes, address=place.address, port=free.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that a run used a moment ago is free
        try:
            tried.bind(("", port))
        except OSError:
            return False
        return True
