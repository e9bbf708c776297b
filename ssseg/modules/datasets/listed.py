"""A data set that is a list of pairs."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.errors import ConfigError, DataError
from ..utils.filekinds import shown
from ..utils.images import read_label
from .base import BaseDataset
from .classes import ClassRow, label_map_of
from .labelme import paint_shapes
from .paths import missing


class ListedDataset(BaseDataset):
    """Images and label files in pairs, `image<TAB>label file` a line of a text file.

    A label file is a label map, of numbers or of colours, or a file of polygons that LabelMe wrote (`.json`).

    `dataset_cfg` holds, besides `rootdir`, which relative paths start from:
        pairs: the list.
        classes: rows `[number, name]` or `[number, name, r, g, b]`, in the order of the labels; a row named `void` or
            `ignore` is ignored, and so is 255 where it is no class.

    Raises:
        ConfigError: a row of `classes` is none.
        DataError: the list is missing or has a line that is no pair.
    """

    image_ext = ann_ext = ""

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        self.image_dir = self.ann_dir = dataset_cfg["rootdir"]
        pairs = read_pairs(dataset_cfg["pairs"])
        stems = [os.path.splitext(image.lstrip("/"))[0] for image, _ in pairs]
        names = stems if len(set(stems)) == len(stems) else [image.lstrip("/") for image, _ in pairs]
        self._pairs = dict(zip(names, pairs, strict=True))
        self.imageids = list(self._pairs)
        rows = class_rows(dataset_cfg["classes"])
        self._numbers = {row.name: row.number for row in rows}
        use_classes(self, rows)

    def image_name(self, imageid: str) -> str:
        return self._pairs[imageid][0]

    def ann_name(self, imageid: str) -> str:
        return self._pairs[imageid][1]

    def read_annotation(self, annpath: str) -> np.ndarray:
        return paint_shapes(annpath, self._numbers) if annpath.endswith(".json") else read_label(annpath)


def read_pairs(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """Read a list of pairs: two columns, separated by a tab, or by a comma or blanks where that gives two.

    Raises:
        DataError: it is missing, unreadable or empty, a line has another number of columns, or an image is there twice.
    """
    if not os.path.isfile(path):
        raise DataError(f"the list of pairs {missing(path)}")
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{shown(path)}: the list of pairs cannot be read: {error}") from error
    pairs: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = next((cells for cells in _columns(line) if len(cells) == 2), None)
        if columns is None:
            raise DataError(f"{shown(path)}:{number}: {line.strip()!r} is no pair `image<TAB>label file`")
        image, label = columns
        if image in pairs:
            raise DataError(f"{shown(path)}:{number}: the image {image!r} is there already")
        pairs[image] = label
    if not pairs:
        raise DataError(f"{shown(path)}: the list of pairs is empty")
    return list(pairs.items())


def pair_line(image: str, label: str) -> str:
    """Return the line that `read_pairs` reads as this pair.

    Raises:
        DataError: a path cannot stand in such a line.
    """
    for path in (image, label):
        if re.search(r"[\t\r\n\ud800-\udfff]", path) or path != path.strip():
            raise DataError(
                f"{shown(path)!r} cannot stand in a list of pairs. Rename it: without tabs, line breaks, blanks at its "
                "ends, and bytes that are no UTF-8."
            )
    return f"{'./' if image.startswith('#') else ''}{image}\t{label}"  # a line that begins with # is a comment


def class_rows(classes: Any) -> list[ClassRow]:
    """Return the rows of `SEGMENTOR_CFG['dataset']['classes']`; ConfigError where one is no row."""
    rows = []
    for position, entry in enumerate(classes if isinstance(classes, list | tuple) else [classes]):
        match entry:
            case [int(number), str(name)]:
                rows.append(ClassRow(number, name))
            case [int(number), str(name), int(red), int(green), int(blue)]:
                rows.append(ClassRow(number, name, (red, green, blue)))
            case _:
                place = f"SEGMENTOR_CFG['dataset']['classes'][{position}]={entry!r}"
                raise ConfigError(f"{place} must be [number, name] or [number, name, r, g, b]")
    return rows


def use_classes(dataset: BaseDataset, rows: Iterable[ClassRow]) -> None:
    """Give a data set its classes."""
    rows = list(rows)
    palette = dataset.randompalette(sum(not row.is_void for row in rows))
    label_map = label_map_of(rows, palette, dataset.ignore_index)
    dataset.label_map = label_map
    dataset.num_classes = label_map.num_classes
    dataset.classnames, dataset.palette = list(label_map.classnames), list(label_map.palette)


def _columns(line: str) -> Iterable[list[str]]:
    yield [cell.strip() for cell in line.split("\t")]
    yield [cell.strip() for cell in line.split(",")]
    yield line.split()
