"""Progress of long work: a bar on a terminal, a line now and then elsewhere; rate, time left, current numbers."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from ..modules.utils.distributed import ismainprocess

SECONDS_BETWEEN_LINES = 15.0


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:.1f}/s")


class Meter:
    """Counts steps; `advance` after each one, with the numbers to show beside the bar."""

    def __init__(self, title: str, total: int, done: int = 0):
        self.title, self.total, self.done, self.begun_at = title, total, done, done
        self.started = self.shown = time.monotonic()

    def advance(self, numbers: str = "", title: str = "") -> None:
        """Count a step."""
        self.done += 1
        self.title = title or self.title

    def summary(self, numbers: str = "") -> str:
        """Return the state as one line."""
        elapsed = max(time.monotonic() - self.started, 1e-9)
        rate = (self.done - self.begun_at) / elapsed
        left = f"{(self.total - self.done) / rate:.0f} s left" if rate else "?"
        share = 100 * self.done // max(self.total, 1)
        return f"{self.title}: {self.done}/{self.total} ({share} %), {rate:.1f}/s, {left}{numbers and ', ' + numbers}"


class _Lines(Meter):
    def advance(self, numbers: str = "", title: str = "") -> None:
        super().advance(numbers, title)
        now = time.monotonic()
        if now - self.shown >= SECONDS_BETWEEN_LINES or self.done == self.total:
            self.shown = now
            sys.stderr.write(self.summary(numbers) + "\n")
            sys.stderr.flush()


class _Bar(Meter):
    def __init__(self, title: str, total: int, done: int, progress: Progress):
        super().__init__(title, total, done)
        self.progress = progress
        self.task = progress.add_task(title, total=total, completed=done, numbers="")

    def advance(self, numbers: str = "", title: str = "") -> None:
        super().advance(numbers, title)
        self.progress.update(self.task, completed=self.done, description=self.title, numbers=numbers)


@contextmanager
def progress(title: str, total: int, done: int = 0) -> Iterator[Meter]:
    """Show how far a loop of `total` steps is, of which `done` were done before; silent but in the main process."""
    console = Console(stderr=True)
    if not ismainprocess():
        yield Meter(title, total, done)
    elif not console.is_terminal:
        yield _Lines(title, total, done)
    else:
        columns = [
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed}/{task.total}"),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"),
        ]
        with Progress(*columns, console=console, redirect_stdout=False) as bars:
            yield _Bar(title, total, done, bars)
