"""The machine-readable log of a run: `metrics.jsonl`, and TensorBoard where asked for."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..modules.utils.errors import ResourceError
from ..modules.utils.files import write_atomically
from ..modules.utils.jsontext import parse_json


class RunLog:
    """Appends an object a line to `<work_dir>/metrics.jsonl`: `kind` (train, eval, event), `epoch`, `iter`, values.

    Args:
        work_dir: of the run.
        tensorboard: also write events to `<work_dir>/tensorboard`.
        enabled: False in all but the main process.

    Raises:
        ResourceError: TensorBoard is asked for and not installed.
    """

    def __init__(self, work_dir: Path, *, tensorboard: bool = False, enabled: bool = True):
        self.path, self.enabled, self.complained = Path(work_dir, "metrics.jsonl"), enabled, False
        self.open_writer = _tensorboard_writer() if tensorboard and enabled else None
        self.writer: Any = None  # opened at the first line, as it creates files

    def write(self, kind: str, epoch: int, iteration: int, **values: Any) -> None:
        """Append a line; numbers that are not finite become null, as JSON has no name for them."""
        if not self.enabled:
            return
        line = json.dumps({"kind": kind, "epoch": epoch, "iter": iteration, **plain_values(values)}, allow_nan=False)
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            self._complain(error)
        if self.open_writer is not None:
            self.writer = self.writer or self.open_writer(str(self.path.parent / "tensorboard"))
            for name, value in _scalars(values):
                self.writer.add_scalar(f"{kind}/{name}", value, iteration)

    def _complain(self, error: OSError) -> None:
        """Say once that lines are lost; no log is worth a run."""
        if not self.complained:
            sys.stderr.write(f"{self.path}: cannot be written, the run goes on without: {error.strerror or error}\n")
        self.complained = True

    def rewind(self, iteration: int) -> None:
        """Drop what a run that goes on from `iteration` writes again: later lines, and the evaluation right there."""
        if self.enabled and self.path.exists():
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
            kept = [line for line in lines if _is_until(line, iteration)]
            text = "".join(line + "\n" for line in kept)
            write_atomically(self.path, lambda stream: stream.write(text.encode()) and None)

    def close(self) -> None:
        """Flush what is buffered."""
        if self.writer is not None:
            self.writer.close()


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a `metrics.jsonl`; one that a crash cut off is left out."""
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            lines.append(parse_json(line))
        except ValueError:
            continue
    return lines


def _is_until(line: str, iteration: int) -> bool:
    try:
        entry = parse_json(line)
        return int(entry["iter"]) <= iteration - (entry["kind"] == "eval")
    except (ValueError, KeyError, TypeError, OverflowError):
        return False


def plain_values(value: Any) -> Any:
    """Return `value` as JSON can hold it: arrays as lists, numbers that are not finite as None."""
    if isinstance(value, Mapping):
        return {str(name): plain_values(item) for name, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain_values(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _scalars(values: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}/{inner}", number) for inner, number in _scalars(value))
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield name, float(value)


def _tensorboard_writer() -> Callable[[str], Any]:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ResourceError(
            "SEGMENTOR_CFG['runtime']['tensorboard'] is True, but tensorboard is not installed: "
            "pip install 'ssseg[tensorboard]'"
        ) from error
    return SummaryWriter
