"""Requests to stop: SIGTERM, SIGUSR1 and Ctrl-C end a run after its step, saved and resumable."""

import signal
import threading
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

import torch

from ..modules.utils.distributed import all_reduce, is_distributed

T = TypeVar("T")
STOPPING = [getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGINT") if hasattr(signal, name)]


class StopSignals:
    """Remembers the first signal that asks to stop; a second Ctrl-C leaves at once.

    Used as a context manager around the training loop, which asks `requested()` after each step.
    """

    def __init__(self) -> None:
        self.received = ""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # Python delivers signals there only
            self._before = {number: signal.signal(number, self._remember) for number in STOPPING}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        if self.received and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number).name

    def until(self, items: Iterable[T]) -> Iterator[T]:
        """Pass `items` on until this process receives a signal."""
        for item in items:
            yield item
            if self.received:
                return

    def requested(self) -> str:
        """Return the signal's name where any process received one, else an empty string. All processes agree."""
        if not is_distributed():
            return self.received
        code = signal.Signals[self.received].value if self.received else 0
        agreed = int(all_reduce(torch.tensor(code), "max"))
        return signal.Signals(agreed).name if agreed else ""
