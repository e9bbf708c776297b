"""The classes of a folder: classes.txt, classes.json, or what its label maps hold."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.errors import DataError
from ..utils.filekinds import shown
from ..utils.images import read_label
from ..utils.jsontext import load_json
from ..utils.labelmap import LabelMap
from ..utils.rawlabels import as_numbers

_VOID = ("void", "ignore")
_UNLABELLED = 255  # what most tools write where nothing was labelled

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class ClassRow:
    """One row of a class table: the number in label files, its name, the colour (r, g, b) if one is given."""

    number: int
    name: str
    colour: Colour | None = None

    @property
    def is_void(self) -> bool:
        return self.name.lower() in _VOID


def read_classes(root: Path) -> list[ClassRow] | None:
    """Read `classes.txt` or `classes.json` in `root`, ordered by number; None where there is neither.

    `classes.txt` holds one name a line, or tab-separated columns `id name [r g b]`; a line that begins with # is none.
    `classes.json` holds the same as a list of names or of rows `[id, name, r, g, b]`.

    Raises:
        DataError: a row cannot be understood, or a number or name is there twice; the message names the line.
    """
    for path, parse in ((root / "classes.txt", _text_rows), (root / "classes.json", _json_rows)):
        if path.is_file():
            try:
                rows = parse(path)
            except (OSError, UnicodeDecodeError) as error:
                raise DataError(f"{shown(path)}: the class table cannot be read: {error}") from error
            return _checked(rows, shown(path))
    return None


def find_classes(paths: Sequence[str], where: str) -> list[ClassRow]:
    """Name the numbers that label maps hold, `class_0`, `class_1`, ...; 255 is no class.

    Raises:
        DataError: there are fewer than two classes.
    """
    numbers: set[int] = set()
    for path in paths:
        numbers.update(np.unique(as_numbers(read_label(path), shown(path))).tolist())
    classes = sorted(numbers - {_UNLABELLED})
    if len(classes) < 2:
        raise DataError(
            f"{where}: there is no classes.txt, and the label maps hold only the numbers {sorted(numbers)}, where "
            f"{_UNLABELLED} would be ignored. Name the classes in classes.txt, one `id<TAB>name` a line."
        )
    return [ClassRow(number, f"class_{number}") for number in classes]


def label_map_of(rows: Sequence[ClassRow], palette: Sequence[Sequence[int]], ignore_index: int) -> LabelMap:
    """Number the classes 0 .. K-1 in the order of their rows; void rows and 255, if it is no class, are ignored.

    Args:
        palette: for classes whose row has no colour.
    """
    classes = [row for row in rows if not row.is_void]
    table = {row.number: label for label, row in enumerate(classes)}
    for ignored in (*(row.number for row in rows if row.is_void), _UNLABELLED, ignore_index):
        table.setdefault(ignored, ignore_index)
    coloured = {row.colour: row.number for row in rows if row.colour}
    distinct = len(coloured) == sum(row.colour is not None for row in rows)
    defaults = [(red, green, blue) for red, green, blue in palette]
    return LabelMap(
        classnames=tuple(row.name for row in classes),
        palette=tuple(row.colour or default for row, default in zip(classes, defaults, strict=True)),
        ignore_index=ignore_index,
        background=next((label for label, row in enumerate(classes) if row.name.strip("_") == "background"), None),
        raw_to_label=table,
        colour_to_raw=coloured if distinct else {},  # a colour of two classes would be a guess
    )


def _text_rows(path: Path) -> Iterable[tuple[str, Any]]:
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    written = [(f"line {number}", line) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    if not any("\t" in line for _, line in written):
        for place, line in written:
            if re.fullmatch(r"\s*\d+\s+\S.*", line):
                raise DataError(f"{shown(path)}, {place}: columns are separated by tabs: id<TAB>name<TAB>r<TAB>g<TAB>b")
        return [(place, line.strip()) for place, line in written]
    return [(place, [cell.strip() for cell in line.rstrip().split("\t")]) for place, line in written]


def _json_rows(path: Path) -> Iterable[tuple[str, Any]]:
    rows = load_json(path, "the class table")
    if not isinstance(rows, list):
        raise DataError(f"{shown(path)}: must hold a list of names, or of rows [id, name, r, g, b]")
    return [(f"row {number}", row) for number, row in enumerate(rows, 1)]


def _checked(rows: Iterable[tuple[str, Any]], where: str) -> list[ClassRow]:
    table: dict[int, ClassRow] = {}
    names: set[str] = set()
    for position, (place, cells) in enumerate(rows):
        try:
            row = ClassRow(position, cells) if isinstance(cells, str) else _row(*cells)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"{where}, {place}: {cells!r} is no row `id name` or `id name r g b`") from error
        if row.number in table or (row.name in names and not row.is_void):
            raise DataError(f"{where}, {place}: the class {row.number} {row.name!r} is there already")
        table[row.number] = row
        names.add(row.name)
    if all(row.is_void for row in table.values()):
        raise DataError(f"{where}: there are no classes in it")
    return [table[number] for number in sorted(table)]


def _row(number: Any, name: Any, *colour: Any) -> ClassRow:
    if not str(name).strip() or not 0 <= int(number) < 2**15:
        raise ValueError(f"{number} {name!r}")
    if not colour:
        return ClassRow(int(number), str(name))
    red, green, blue = map(int, colour)
    if min(red, green, blue) < 0 or max(red, green, blue) > 255:
        raise ValueError(f"the colour {red} {green} {blue}")
    return ClassRow(int(number), str(name), (red, green, blue))
