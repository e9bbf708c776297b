"""JSON as it comes from files that anybody may have written."""

import json
import os
from pathlib import Path
from typing import Any

from .errors import DataError
from .filekinds import shown


def parse_json(text: str | bytes) -> Any:
    """Return what `text` holds; ValueError where it is no JSON, or nested deeper than Python follows."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("brackets in brackets without end") from error


def load_json(path: str | os.PathLike[str], what: str, error: type[DataError] = DataError) -> Any:
    """Read a JSON file: UTF-8, with or without byte order mark.

    Args:
        what: it is, for the message.
        error: the class to raise where the file is missing, unreadable or no JSON.
    """
    try:
        return parse_json(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as reason:
        raise error(f"{shown(path)}: {what} cannot be read: {reason}") from reason
