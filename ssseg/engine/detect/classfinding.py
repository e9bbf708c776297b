"""The classes of label maps: from a table in the folder, else from what the label maps hold."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...modules.datasets.classes import ClassRow, read_classes
from ...modules.utils.errors import DataError
from ...modules.utils.filekinds import shown
from ...modules.utils.images import read_label
from ...modules.utils.rawlabels import as_numbers, colour_codes
from ..progress import progress

MAX_CLASSES = 255
_MANY, _SHOWN = 16, 20  # values that may be left by a blur; errors that are listed
_ADVICE = "List the classes in classes.txt, one `id<TAB>name<TAB>r<TAB>g<TAB>b` a line; what is called void is ignored."
_ALTERED = f"Were they scaled with interpolation, or saved as JPEG? {_ADVICE}"


def find_rows(root: Path, labels: Sequence[str]) -> tuple[list[ClassRow], list[str]]:
    """Return the classes of a folder, and notes on how they were found.

    A table is classes.txt or classes.json, labelmap.txt as CVAT writes it (`name:r,g,b::`), or a class_dict.csv with
    columns name, r, g, b.

    Args:
        labels: the paths of its label maps, which are read where there is no table.

    Raises:
        DataError: a table cannot be understood, or the label maps have no classes that could be told apart.
    """
    rows = read_classes(root)
    if rows:
        return rows, []
    for name, parse in (("labelmap.txt", _cvat_rows), ("class_dict.csv", _csv_rows)):
        if (root / name).is_file():
            return parse(root / name), [f"classes from {name}"]
    return scan(labels, shown(root))


def scan(labels: Sequence[str], where: str) -> tuple[list[ClassRow], list[str]]:
    """Read label maps and make a class of each number, or of each colour; 255 is no class unless it is one of two."""
    numbers: set[int] = set()
    codes: set[int] = set()
    filling: set[int] = set()
    broken: list[DataError] = []
    with progress("label maps", len(labels)) as meter:
        for path in labels:
            try:
                raw = read_label(path)
                values = colour_codes(raw) if raw.ndim == 3 else as_numbers(raw, shown(path))
            except DataError as error:
                broken.append(error)
                continue
            held = set(np.unique(values).tolist())
            (codes if raw.ndim == 3 else numbers).update(held)
            if not held <= filling:
                filling |= _filling(values)
            if len(codes) > MAX_CLASSES or len(numbers) > MAX_CLASSES:
                kind = "colours" if codes else "numbers"
                raise DataError(
                    f"{where}: the label maps hold more than {MAX_CLASSES} {kind}, which cannot be classes. {_ALTERED}"
                )
            meter.advance()
    if broken:
        reasons = "\n".join(f"  {error}" for error in broken[:_SHOWN])
        raise DataError(f"{where}: {len(broken)} of {len(labels)} label maps cannot be read:\n{reasons}")
    for kind, found in (("colours", codes), ("numbers", numbers)):
        if len(found) >= _MANY and 2 * len(found & filling) < len(found):
            raise DataError(
                f"{where}: the label maps hold {len(found)} {kind}, most of which are nowhere as large as 3 x 3 "
                f"pixels, as at edges that are blurred. {_ALTERED}"
            )
    black = int(colour_codes(np.zeros(3, np.uint8)))
    if codes and any(_grey(code) is None for code in codes):
        if numbers:
            raise DataError(f"{where}: some label maps hold colours and others numbers. {_ADVICE}")
        rows = [
            ClassRow(place, "#{:02x}{:02x}{:02x}".format(*_rgb(code)), _rgb(code))
            for place, code in enumerate(sorted(codes))
        ]
        notes = [f"{len(rows)} colours were found and became classes. {_ADVICE}"]
        if black in codes:
            notes.append("black (#000000) is a class here; if it means unlabelled, name it void in classes.txt")
        return rows, notes
    numbers |= {grey for code in codes if (grey := _grey(code)) is not None}
    classes = sorted(numbers - {MAX_CLASSES}) if len(numbers) > 2 else sorted(numbers)
    if len(classes) < 2 or min(classes) < 0 or max(classes) >= 2**15:
        raise DataError(f"{where}: the label maps hold only the numbers {sorted(numbers)}. {_ADVICE}")
    notes = [f"the classes are the numbers in the label maps. {_ADVICE}"]
    if MAX_CLASSES in numbers:
        both = "a class, being one of two numbers" if MAX_CLASSES in classes else "ignored"
        notes.append(f"the number 255 is {both}")
    return [ClassRow(number, f"class_{number}") for number in classes], notes


def _filling(values: np.ndarray[Any, Any]) -> set[int]:
    """Return which values (H, W) fill a square of 3 x 3 pixels somewhere; all of those in a picture of few pixels."""
    values = values.astype(np.int64)
    if min(values.shape) < _MANY:
        return set(np.unique(values).tolist())
    for _ in ("rows", "columns"):
        alike = (values[:-2] == values[1:-1]) & (values[2:] == values[1:-1])
        values = np.where(alike, values[1:-1], -1).T
    return set(np.unique(values).tolist()) - {-1}


def rows_of_class(dataset: Any) -> list[ClassRow]:
    """Return the classes of a data set class as rows; the numbers that it ignores are rows called void."""
    table: dict[int, int] = dict(dataset.clsid2label)
    for label in range(dataset.num_classes):
        table.setdefault(label, label)
    labels = {label: raw for raw, label in reversed(table.items())}
    rows = [
        ClassRow(labels[label], name, tuple(int(c) for c in colour))  # type: ignore[arg-type]
        for label, (name, colour) in enumerate(zip(dataset.classnames, dataset.palette, strict=True))
    ]
    return rows + [ClassRow(raw, "void") for raw, label in table.items() if label < 0]


def _cvat_rows(path: Path) -> list[ClassRow]:
    rows: list[ClassRow] = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"([^:]+):(\d+),(\d+),(\d+):[^:]*:[^:]*", line.strip())
        if not match:
            raise DataError(f"{shown(path)}:{number}: {line.strip()!r} is no row `name:r,g,b:parts:actions`")
        rows.append(ClassRow(len(rows), match[1], (int(match[2]), int(match[3]), int(match[4]))))
    return _at_least_two(rows, path)


def _csv_rows(path: Path) -> list[ClassRow]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows: list[ClassRow] = []
        for record in csv.DictReader(stream, skipinitialspace=True):
            try:
                rows.append(ClassRow(len(rows), record["name"], (int(record["r"]), int(record["g"]), int(record["b"]))))
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"{shown(path)}: row {len(rows) + 1} has no name, r, g, b: {error!r}") from error
    return _at_least_two(rows, path)


def _at_least_two(rows: list[ClassRow], path: Path) -> list[ClassRow]:
    if len([row for row in rows if not row.is_void]) < 2:
        raise DataError(f"{shown(path)}: there are fewer than two classes in it")
    return rows


def _rgb(code: int) -> tuple[int, int, int]:
    return code >> 16 & 255, code >> 8 & 255, code & 255


def _grey(code: int) -> int | None:
    red, green, blue = _rgb(code)
    return red if red == green == blue else None
