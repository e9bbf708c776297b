"""Annotation files as JSON, and what numbers in them may be."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.errors import DataError
from ..utils.filekinds import shown
from ..utils.images import MAX_PIXELS

MAX_COORDINATE = 2.0**24  # pixels from the origin

Array = np.ndarray[Any, Any]


def load_json(path: str | os.PathLike[str], what: str, error: type[DataError] = DataError) -> Any:
    """Read a JSON file: UTF-8, with or without byte order mark.

    Args:
        what: it is, for the message.
        error: the class to raise where the file is missing, unreadable or no JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as reason:
        raise error(f"{shown(path)}: {what} cannot be read: {reason}") from reason


def size_of(height: Any, width: Any) -> tuple[int, int]:
    """Return the size of an image, (height, width); ValueError where the two are none."""
    if type(height) is not int or type(width) is not int or min(height, width) < 1 or height * width > MAX_PIXELS:
        raise ValueError(f"an image cannot have the height {height!r} and the width {width!r}")
    return height, width


def points_of(values: Any) -> Array:
    """Return points x, y in pixels, (N, 2) float64; ValueError or TypeError where `values` are none.

    Args:
        values: x and y in turn, or pairs of them.
    """
    points = np.array(values, np.float64).reshape(-1, 2)
    if not (np.abs(points) < MAX_COORDINATE).all():  # false for NaN as well
        raise ValueError("a point is not finite, or far outside of any image")
    return points
