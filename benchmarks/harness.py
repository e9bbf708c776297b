"""Measures functions side by side on the same inputs.

Time is that of this process's CPU, on one thread. The contenders take turns, so that a busy machine slows all of them;
what counts is the ratio to the first one. Memory is the growth of the highest resident size during a call, in a process
of its own.
"""

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Inputs = tuple[Any, ...]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main(
    description: str | None,
    cases: Mapping[str, Callable[[], Inputs]],
    contenders: Mapping[str, Callable[..., Any]],
    differ: Callable[[Any, Any], str],
) -> None:
    """Run a benchmark from the command line.

    Args:
        description: printed by `--help`.
        cases: name -> what makes the inputs.
        contenders: name -> function of the inputs. The first one is the baseline.
        differ: says how far a contender's result is from the baseline's.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", action="append", default=[], metavar="MODULE:FUNCTION", help="another contender")
    parser.add_argument("--case", action="append", default=[], choices=list(cases), help="only these cases")
    parser.add_argument("--rounds", type=int, default=7, help="how often each contender has its turn")
    parser.add_argument("--json", action="store_true", help="print an object a line")
    parser.add_argument("--memory-of", nargs=2, metavar=("CASE", "CONTENDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    named = {**contenders, **{peer: _imported(peer) for peer in options.peer}}
    if options.memory_of:
        case, name = options.memory_of
        print(memory_growth(named[name], cases[case]()))
        return
    for case in options.case or cases:
        for row in measure(case, cases[case], named, differ, options.rounds, options.peer):
            print(json.dumps(row) if options.json else _line(row), flush=True)


def measure(
    case: str,
    make_inputs: Callable[[], Inputs],
    contenders: Mapping[str, Callable[..., Any]],
    differ: Callable[[Any, Any], str],
    rounds: int,
    peers: list[str],
) -> list[dict[str, Any]]:
    """Return a row for each contender: milliseconds, ratio to the baseline with its spread, memory, difference."""
    inputs = make_inputs()
    results = {name: function(*inputs) for name, function in contenders.items()}  # the first call is not measured
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, function in contenders.items():
            started = time.process_time()
            function(*inputs)
            times[name].append(time.process_time() - started)
    baseline = next(iter(contenders))
    rows = []
    for name in contenders:
        ratios = sorted(base / own for base, own in zip(times[baseline], times[name], strict=True))
        row = {
            "case": case,
            "contender": name,
            "ms": 1e3 * statistics.median(times[name]),
            "ratio": statistics.median(ratios),
            "spread": [ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]],
            "memory_mb": _memory_in_a_process(case, name, peers),
            "difference": "" if name == baseline else differ(results[baseline], results[name]),
        }
        rows.append(row)
    return rows


def memory_growth(function: Callable[..., Any], inputs: Inputs) -> float:
    """Return by how many MB the second call makes this process grow, at its peak."""
    function(*inputs)
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _status("VmRSS")
    function(*inputs)
    return (_status("VmHWM") - before) / 1e3


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))  # kB


def _memory_in_a_process(case: str, name: str, peers: list[str]) -> float:
    command = [sys.executable, sys.argv[0], "--memory-of", case, name]
    for peer in peers:
        command += ["--peer", peer]
    environment = {**os.environ, **ONE_THREAD, "MALLOC_MMAP_THRESHOLD_": "65536"}  # what is freed leaves the process
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout.splitlines()[-1])


def _imported(peer: str) -> Callable[..., Any]:
    module, _, function = peer.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def _line(row: dict[str, Any]) -> str:
    low, high = row["spread"]
    return (
        f"{row['case']:28} {row['contender']:24} {row['ms']:9.2f} ms {row['ratio']:6.2f}x ({low:.2f} to {high:.2f}) "
        f"{row['memory_mb']:8.1f} MB  {row['difference']}"
    )
