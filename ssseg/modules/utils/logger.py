"""The text log of a run."""

import logging
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from .distributed import ddpallreducemean, ismainprocess
from .errors import ResourceError
from .modulebuilder import BaseModuleBuilder, Registry

LINE = "%(asctime)s %(levelname)s  %(message)s"
TIME = "%Y-%m-%d %H:%M:%S"


class _Screen(logging.StreamHandler[Any]):
    """Writes to what is stderr at that time (a progress bar may stand in for it), but for the training lines.

    Those are dictionaries; a progress bar shows the same numbers.
    """

    def emit(self, record: logging.LogRecord) -> None:
        if not isinstance(record.args, dict):
            self.stream = sys.stderr
            super().emit(record)


class _File(logging.FileHandler):
    """Says once on stderr that its file cannot be written any more, and where that is."""

    complained = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self.stream is None or not Path(self.baseFilename).is_file():  # what is open may lead nowhere
                self.close()
                self.stream = self._open()
            self.stream.write(self.format(record) + self.terminator)
            self.stream.flush()
        except OSError as error:
            if not self.complained:
                sys.stderr.write(f"{self.baseFilename}: cannot be written, the run goes on without: {error}\n")
            self.complained = True


class LocalLoggerHandle:
    """Writes lines `YYYY-mm-dd HH:MM:SS LEVEL  message` to a file and to stderr.

    A log that cannot be written any more never stops a run: it is said once on stderr.

    Args:
        logfilepath: appended to; its folder is made. Empty: stderr only.
        echo: also write to stderr.

    Raises:
        ResourceError: the file cannot be opened.
    """

    def __init__(self, logfilepath: str | Path = "", echo: bool = True):
        self.logfilepath = logfilepath
        self.logger = logging.Logger("ssseg", logging.DEBUG)  # of its own: two runs in one process do not mix
        handlers: list[logging.Handler] = [_Screen()] if echo else []
        if logfilepath and ismainprocess():
            try:
                Path(logfilepath).parent.mkdir(parents=True, exist_ok=True)
                handlers.append(_File(logfilepath, encoding="utf-8"))
            except OSError as error:
                raise ResourceError(
                    f"SEGMENTOR_CFG['logger_handle_cfg']['logfilepath']: cannot write {str(logfilepath)!r}: {error}"
                ) from error
        for handler in handlers:
            handler.setFormatter(logging.Formatter(LINE, TIME))
            self.logger.addHandler(handler)

    def log(self, message: object, level: str = "INFO", main_process_only: bool = True) -> None:
        """Write one message; with `main_process_only` other processes stay silent."""
        if ismainprocess() or not main_process_only:
            self.logger.log(logging.getLevelNamesMapping()[level.upper()], "%s", message)

    def debug(self, message: object, main_process_only: bool = True) -> None:
        self.log(message, "DEBUG", main_process_only)

    def info(self, message: object, main_process_only: bool = True) -> None:
        self.log(message, "INFO", main_process_only)

    def warning(self, message: object, main_process_only: bool = True) -> None:
        self.log(message, "WARNING", main_process_only)

    def error(self, message: object, main_process_only: bool = True) -> None:
        self.log(message, "ERROR", main_process_only)

    def close(self) -> None:
        """Close the file."""
        for handler in self.logger.handlers[:]:
            handler.close()
            self.logger.removeHandler(handler)


class LoggerHandleBuilder(BaseModuleBuilder):
    """Builds what `SEGMENTOR_CFG['logger_handle_cfg']` describes."""

    REGISTERED_MODULES = Registry({"LocalLoggerHandle": LocalLoggerHandle})
    kind = "logger handle"
    where = "SEGMENTOR_CFG['logger_handle_cfg']"


def BuildLoggerHandle(logger_handle_cfg: Mapping[str, Any]) -> Any:  # noqa: N802
    """Build the logger handle that `logger_handle_cfg["type"]` names."""
    return LoggerHandleBuilder().build(logger_handle_cfg)


class TrainTimer:
    """Measures how long iterations take, with a monotonic clock.

    `average` is the mean of all, `smoothed` follows the last few dozen. Seconds.
    """

    def __init__(self) -> None:
        self.count, self.average, self.smoothed = 0, 0.0, 0.0
        self.started = self.last = time.monotonic()

    def tick(self) -> float:
        """End an iteration, begin the next; return how long it took."""
        now = time.monotonic()
        elapsed, self.last = now - self.last, now
        self.count += 1
        self.average += (elapsed - self.average) / self.count
        self.smoothed = elapsed if self.count == 1 else 0.95 * self.smoothed + 0.05 * elapsed
        return elapsed

    def skip(self) -> None:
        """Leave out the time since the last tick: an evaluation, a save."""
        self.last = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the timer was made."""
        return time.monotonic() - self.started


class TrainingLoggingManager:
    """Collects the losses of every iteration and logs their means, over all processes, at an interval.

    Values that are tensors are added up where they live and read only when a line is written, so that no iteration
    waits for the device.

    Args:
        log_interval_iters: a line every so many iterations.
        log_interval_epochs: a line at the end of every so many epochs; one of the two is given, the first wins.
        logger_handle_cfg: builds a logger handle, unless `logger_handle` is one.
    """

    def __init__(
        self,
        log_interval_iters: int | None = None,
        log_interval_epochs: int | None = None,
        logger_handle_cfg: Mapping[str, Any] | None = None,
        logger_handle: Any = None,
    ):
        self.log_interval_iters, self.log_interval_epochs = log_interval_iters, log_interval_epochs
        self.logger_handle = logger_handle or (BuildLoggerHandle(logger_handle_cfg) if logger_handle_cfg else None)
        self.facts: dict[str, Any] = {}
        self._forget()

    def _forget(self) -> None:
        self.sums: dict[str, Any] = defaultdict(float)
        self.counts: dict[str, int] = defaultdict(int)

    def update(self, facts: Mapping[str, Any], losses: Mapping[str, Any]) -> None:
        """Take the `losses` of an iteration, to be averaged, and the `facts` that stand now."""
        self.facts = dict(facts)
        for name, value in losses.items():
            self.sums[name] = self.sums[name] + (value.detach() if torch.is_tensor(value) else value)
            self.counts[name] += 1

    def is_due(self) -> bool:
        """Whether the interval ends with the iteration that `update` saw last."""
        if self.log_interval_iters:
            return self.facts["cur_iter"] % self.log_interval_iters == 0
        ends_epoch = self.facts["cur_iter_in_cur_epoch"] == self.facts["max_iters_in_cur_epoch"]
        return bool(self.log_interval_epochs) and ends_epoch and self.facts["cur_epoch"] % self.log_interval_epochs == 0

    def flush(self) -> dict[str, Any]:
        """Return the facts and the mean losses as plain numbers, log them, and start afresh."""
        sums = [
            torch.as_tensor(total, dtype=torch.float32).cpu() / self.counts[name] for name, total in self.sums.items()
        ]
        means = dict(zip(self.sums, ddpallreducemean(torch.stack(sums)).tolist(), strict=True)) if sums else {}
        self._forget()
        line = {**self.facts, **means}
        if self.logger_handle is not None:
            self.logger_handle.info(line)
        return line

    def autolog(self) -> dict[str, Any] | None:
        """`flush` where a line is due, else None."""
        return self.flush() if self.is_due() else None
