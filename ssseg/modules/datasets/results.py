"""Predictions as files for an evaluation server."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.files import touchdirs
from ..utils.images import write_png
from ..utils.labelmap import LabelMap
from .ids import check_id


def write_predictions(
    label_map: LabelMap, results: Iterable[Any], imageids: Iterable[str], folder: Path, *, to_label_id: bool
) -> list[str]:
    """Write label maps (H, W) as `<folder>/<id>.png`, with the classes' colours as palette; return the paths.

    Args:
        to_label_id: write the numbers of the data set's own files instead of labels 0 .. K-1.
    """
    numbers = [label_map.label_to_raw[label] if to_label_id else label for label in range(label_map.num_classes)]
    colours = dict(zip(numbers, label_map.palette, strict=True))
    palette = [colours.get(number, (0, 0, 0)) for number in range(256)] if max(numbers) < 256 else None
    paths = []
    for result, imageid in zip(results, imageids, strict=True):
        check_id(imageid, where="predictions")
        path = folder / f"{imageid}.png"
        touchdirs(path.parent)
        labels = np.asarray(result)
        write_png(path, label_map.to_raw(labels) if to_label_id else labels, palette)
        paths.append(str(path))
    return paths
