"""Clocks and tables of benchmarks."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True)
class Row:
    """What was measured of one way, or of one stage.

    Args:
        ms, low, high: median, first and third quartile of the wall time, milliseconds.
        ratio: to the plain way, in pairs; above 1 is faster. None where there is no other way.
        memory_mb: growth of the memory at its peak; None where it was not or cannot be measured.
    """

    name: str
    ms: float
    low: float
    high: float
    ratio: float | None = None
    memory_mb: float | None = None


@dataclass(frozen=True)
class Report:
    """The rows of a benchmark and what follows from them.

    Args:
        subject: what was measured, with its sizes.
        ways: plain and ours in turns. stages: where the time of ours goes.
        bottleneck: the stage that takes longest. advice: the switch that would help.
    """

    subject: str
    ways: tuple[Row, ...]
    stages: tuple[Row, ...] = ()
    bottleneck: str = ""
    advice: str = ""


def compare(ways: Mapping[str, Callable[[], Any]], device: torch.device, rounds: int) -> tuple[Row, ...]:
    """Run the ways in turns, after one that does not count; the first is the plain one."""
    memory = {name: memory_growth(way, device) for name, way in ways.items()}
    watch = Stopwatch(device)
    for _ in range(rounds):
        for name, way in ways.items():
            with watch.lap(name):
                way()
    return watch.rows(plain=next(iter(ways)), memory=memory)


class Stopwatch:
    """Collects the wall times of named stages, waiting for the device at both ends."""

    def __init__(self, device: torch.device):
        self.device = device
        self.laps: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Time the block."""
        self._wait()
        started = time.perf_counter()
        yield
        self._wait()
        self.laps[name].append(1e3 * (time.perf_counter() - started))

    def rows(self, plain: str = "", memory: Mapping[str, float | None] | None = None) -> tuple[Row, ...]:
        """Return a row for each name; with ratios to `plain` where it is given."""
        rows = []
        for name, laps in self.laps.items():
            ratio = statistics.median(a / b for a, b in zip(self.laps[plain], laps, strict=True)) if plain else None
            ordered, quarter = sorted(laps), len(laps) // 4
            low, high = ordered[quarter], ordered[-1 - quarter]
            rows.append(Row(name, statistics.median(laps), low, high, ratio, (memory or {}).get(name)))
        return tuple(rows)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def memory_growth(way: Callable[[], Any], device: torch.device) -> float | None:
    """Return by how many MB memory grows at its peak; on a CPU what the heap holds already is not seen."""
    if device.type == "cuda":
        way()  # the first call may set memory aside for good
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        way()
        return (torch.cuda.max_memory_allocated(device) - before) / 1e6
    way()
    if not _reset_peak():
        return None
    before = _resident("VmRSS")
    way()
    return max(_resident("VmHWM") - before, 0) / 1e3


def _reset_peak() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:  # not Linux, or not allowed
        return False
    return True


def _resident(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return 0
