"""Where a process tells why it ends: on stderr, or to the launcher, which prints what came first as the last thing."""

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ..modules.utils.errors import LostProcessError
from ..modules.utils.jsontext import parse_json

FILE = "SSSEG_FAILURE_FILE"  # set by the launcher, a file for each process


@dataclass(frozen=True)
class Failure:
    """Why a process ended.

    Args:
        message: for the user.
        code: the exit code.
        follows: whether it is but the consequence of another process's end.
        at: seconds of the machine's monotonic clock, which all its processes share.
    """

    message: str
    code: int
    follows: bool
    at: float


def launched() -> bool:
    """Whether our launcher started this process and shows its failure."""
    return FILE in os.environ


def tell(message: object, code: int) -> None:
    """Tell why this process ends with `code`."""
    failure = Failure(str(message), code, isinstance(message, LostProcessError), time.monotonic())
    if launched():
        try:
            Path(os.environ[FILE]).write_text(json.dumps(asdict(failure)), encoding="utf-8")
            return
        except OSError:
            pass  # a full disk, perhaps; the message must not be lost
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def told(path: Path) -> Failure | None:
    """Return what a process told in its file, None where it told nothing."""
    try:
        return Failure(**parse_json(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
