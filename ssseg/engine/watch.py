"""Watches that the processes of a run get on: where one stalls, the others would wait for it without a word."""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from ..modules.utils.errors import DistributedError, LostProcessError
from .failure import launched, tell

T = TypeVar("T")
_WAITING = ("torch/distributed/", "torch/autograd/", "torch/nn/parallel/")  # where a process waits for the others
_REPORT_SECONDS = 5.0  # for asking where the others stand


class Watch:
    """Knows where this process stands; does nothing with it in a run of one process."""

    def at(self, phase: str, iteration: int) -> None:
        """Note that a phase begins, such as "reading data" of an iteration."""

    def each(self, phase: str, iteration: int, items: Iterable[T]) -> Iterator[T]:
        """Pass `items` on; each counts as progress."""
        self.at(phase, iteration)
        for item in items:
            yield item
            self.at(phase, iteration)


class GroupWatch(Watch):
    """Ends the run where this process makes no progress for `limit` seconds, and says where each process stands.

    A thread does that; it also asks the run to stop where our launcher started it and is gone.

    Args:
        limit: seconds that a phase may take. rank, world_size: this process, of how many.
        store: shared by all processes (`torch.distributed.Store`), a connection of this thread's own.
    """

    def __init__(self, limit: float, rank: int, world_size: int, store: Any):
        self.limit, self.rank, self.world_size, self.store = limit, rank, world_size, store
        self.parent, self.main = os.getppid(), threading.main_thread().ident
        self.ended = threading.Event()
        self.at("setting up", 0)
        self.thread = threading.Thread(target=self._run, name="ssseg watch", daemon=True)
        self.thread.start()

    def at(self, phase: str, iteration: int) -> None:
        self.place = (iteration, phase, time.monotonic())

    def close(self) -> None:
        """End the thread."""
        self.ended.set()
        self.thread.join(_REPORT_SECONDS)

    def _run(self) -> None:
        while not self.ended.wait(min(self.limit / 10, 2.0)):
            with contextlib.suppress(RuntimeError):  # the store is gone with its process; the main thread notices, too
                self.store.set(f"ssseg/{self.rank}", json.dumps(self._position()))
            if launched() and os.getppid() != self.parent:
                self.parent = os.getppid()
                os.kill(os.getpid(), signal.SIGTERM)  # as from a launcher that was asked to end
            if time.monotonic() - self.place[2] > self.limit:
                self._end()

    def _position(self) -> dict[str, Any]:
        iteration, phase, since = self.place
        frame = sys._current_frames().get(self.main or 0)
        waits = frame is not None and any(part in frame.f_code.co_filename for part in _WAITING)
        seconds = time.monotonic() - since
        return {"iteration": iteration, "phase": phase, "for": seconds, "waits": waits, "in": _where(frame)}

    def _end(self) -> None:
        """End this process; the first that comes to it tells where all stand."""
        found = {self.rank: self._position()}
        claims: list[int] = []
        asking = threading.Thread(target=self._ask, args=(found, claims), daemon=True)  # the store may hang as well
        asking.start()
        asking.join(_REPORT_SECONDS)
        if self.ended.is_set():
            return
        error = DistributedError if claims in ([1], []) else LostProcessError
        tell(error(describe(self.limit, dict(found), self.world_size)), error.exit_code)
        os._exit(error.exit_code)  # the main thread is where no exception reaches it

    def _ask(self, found: dict[int, dict[str, Any]], claims: list[int]) -> None:
        with contextlib.suppress(RuntimeError):
            claims.append(self.store.add("ssseg/stalled", 1))
            for rank in range(self.world_size):
                if rank != self.rank and self.store.check([f"ssseg/{rank}"]):
                    found[rank] = json.loads(self.store.get(f"ssseg/{rank}"))


def describe(limit: float, found: Mapping[int, Mapping[str, Any]], world_size: int) -> str:
    """Return where each process stands, and which one the others wait for where that can be told."""
    first = min(position["iteration"] for position in found.values())
    behind = [rank for rank, position in found.items() if position["iteration"] == first]
    stuck = [rank for rank in behind if not found[rank]["waits"]] or behind
    unknown = [rank for rank in range(world_size) if rank not in found]
    named = sorted({*stuck, *unknown}) if len(stuck) + len(unknown) < world_size else []
    lines = [
        f"  process {rank}: {position['phase']}, iteration {position['iteration']}, for {position['for']:.1f} s, "
        f"in {position['in']}"
        for rank, position in sorted(found.items())
    ]
    lines += [f"  process {rank}: does not answer" for rank in unknown]
    who = f"; process {', '.join(map(str, named))} stalls" if named else ""
    rule = "SEGMENTOR_CFG['runtime']['process_timeout'] is the limit in seconds."
    return "\n".join([f"no progress for {limit:g} s{who}:", *lines, rule])


def _where(frame: FrameType | None) -> str:
    """Return the function, file and line of a frame; of torch's own frames the one that called them."""
    while frame is not None and "/torch/" in frame.f_code.co_filename and frame.f_back is not None:
        frame = frame.f_back
    if frame is None:
        return "?"
    return f"{frame.f_code.co_name} ({Path(frame.f_code.co_filename).name}:{frame.f_lineno})"
