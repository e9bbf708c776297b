"""Label files as arrays: checking what they hold, looking it up, saying what is wrong. `LabelMap` is built on it."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .errors import LabelError, listed

Array = np.ndarray[Any, Any]

UNKNOWN = -32768  # stands in int16 label maps for what the table does not explain
_LISTED = 6  # values that a message lists


def as_numbers(raw: Array, where: str) -> Array:
    """Return `raw` as (H, W) integers; three equal channels count as one.

    Raises:
        LabelError: colours, another shape, another kind of numbers, NaN, infinity or a fraction.
    """
    if raw.ndim == 3 and raw.shape[2] == 3:
        if (raw != raw[..., :1]).any():
            colours = listed(map(tuple, np.unique(raw.reshape(-1, 3), axis=0).tolist()), limit=_LISTED)
            raise LabelError(
                f"{where}: holds colours, {colours}, not class ids. List the colour of each class: in `color2clsid` "
                f"of the data set class, or as `id name r g b` in classes.txt of a FolderDataset."
            )
        raw = raw[..., 0]
    if raw.ndim != 2:
        raise LabelError(f"{where}: a label map has the shape (height, width), not {raw.shape}")
    if raw.dtype.kind in "iub":
        return raw.astype(np.uint8) if raw.dtype.kind == "b" else raw
    if raw.dtype.kind != "f":
        raise LabelError(f"{where}: a label map holds integers, not {raw.dtype}")
    whole = (np.abs(raw) < 2**53) & (raw == np.rint(raw))  # both are false for NaN
    if not whole.all():
        row, column = np.argwhere(~whole)[0].tolist()
        raise LabelError(
            f"{where}: a label map holds integers, but {(~whole).sum():,} pixels are none; "
            f"the first is {raw[row, column]} at row {row}, column {column}"
        )
    return raw.astype(np.int64)


def look_up(values: Array, keys: Array, labels: Array) -> Array:
    """The int16 label of each value; `keys` are sorted, values that they lack become `UNKNOWN`."""
    position = np.searchsorted(keys, values).clip(max=len(keys) - 1)
    return np.where(keys[position] == values, labels[position], np.int16(UNKNOWN))


def look_up_integers(values: Array, keys: Array, labels: Array) -> Array:
    """As `look_up`, a hundred times faster where the values lie close together, as class ids do."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    if high - low >= 2**16:
        return look_up(values, keys, labels)
    offsets = np.subtract(values, low, dtype=np.intp, casting="unsafe")  # narrow types would overflow
    return np.take(look_up(np.arange(low, high + 1), keys, labels), offsets)


def colour_codes(colours: Array) -> Array:
    """Colours (..., 3) as single numbers (...) int64."""
    return colours.astype(np.int64) @ np.array([65536, 256, 1])


def found(raw: Array, wrong: Array) -> str:
    """Say which values `raw` (H, W) or (H, W, 3) holds where `wrong` (H, W) is true: how often, and where first."""
    values, counts = np.unique(raw[wrong], axis=0, return_counts=True)
    row, column = np.argwhere(wrong)[0].tolist()
    entries = zip(values.tolist(), counts.tolist(), strict=True)
    kinds = [
        f"{tuple(value) if raw.ndim == 3 else value} ({count:,} pixel{'s' * (count > 1)})" for value, count in entries
    ]
    more = f" and {len(kinds) - _LISTED} more" if len(kinds) > _LISTED else ""
    name = "the colours" if raw.ndim == 3 else "the ids"
    return f"holds {name} {', '.join(kinds[:_LISTED])}{more}, first at row {row}, column {column}"


def ranges(numbers: Iterable[int]) -> str:
    """`0..20, 255` for 0, 1, ..., 20, 255."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return listed((f"{low}..{high}" if high > low else str(low) for low, high in runs), limit=12)
