"""Annotation files of COCO, and the shapes of objects in them."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..utils.errors import DataError, LabelError
from ..utils.filekinds import shown
from .paths import missing

Array = np.ndarray[Any, Any]


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read an annotation file, which lists at least `images`.

    Raises:
        DataError: it is missing, no JSON, or has no list of images.
    """
    if not os.path.isfile(path):
        raise DataError(f"the annotation file {missing(path)}")
    try:
        with open(path, encoding="utf-8") as stream:
            record = json.load(stream)
    except (OSError, ValueError) as error:
        raise DataError(f"{shown(path)}: the annotation file cannot be read: {error}") from error
    if not isinstance(record, dict) or not isinstance(record.get("images"), list):
        raise DataError(f"{shown(path)}: is no COCO annotation file: it has no list 'images'")
    return record


def image_names(record: Mapping[str, Any], path: str | os.PathLike[str]) -> dict[str, str]:
    """Return id -> file name of the images in `record`, read from `path`, in their order; DataError where one lacks."""
    try:
        return {str(image["id"]): str(image["file_name"]) for image in record["images"]}
    except (KeyError, TypeError) as error:
        raise DataError(f"{shown(path)}: is no COCO annotation file: an image has no {error}") from error


class Instances:
    """The objects of chosen categories in an annotation file of instances.

    Args:
        path: of the file.
        labels: category -> label; objects of other categories are left out.

    Attributes:
        names: id of an image -> its file name, in the order of the file.

    Raises:
        DataError: the file is no such file.
    """

    def __init__(self, path: str | os.PathLike[str], labels: Mapping[int, int]):
        record = read_json(path)
        self.names = image_names(record, path)
        try:
            self._sizes = {str(image["id"]): (image["height"], image["width"]) for image in record["images"]}
            self._objects: dict[str, list[tuple[int, Any, float | None]]] = {}
            for entry in record["annotations"]:
                if entry["category_id"] in labels:
                    shape = entry["segmentation"]
                    if isinstance(shape, list):
                        shape = [np.array(polygon, np.float64).reshape(-1, 2) for polygon in shape]
                    item = (labels[entry["category_id"]], shape, entry.get("area"))
                    self._objects.setdefault(str(entry["image_id"]), []).append(item)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{shown(path)}: is no COCO file of instances: {error!r}") from error

    def label_map(self, imageid: str) -> Array:
        """Paint the objects of an image, (H, W) uint8; where two overlap, the one that is listed first is seen."""
        labels = np.zeros(self._sizes[imageid], np.uint8)
        for label, shape, _ in self._objects.get(imageid, ()):
            labels[(labels == 0) & shape_mask(shape, labels.shape)] = label
        return labels

    def covers(self, imageid: str, pixels: int) -> bool:
        """Whether the objects of an image cover more than `pixels`; clear cases are decided by their listed areas."""
        objects = self._objects.get(imageid, ())
        areas = [area for *_, area in objects if area is not None]
        if len(areas) == len(objects):
            if sum(areas) < pixels / 2:
                return False
            if max(areas) > pixels * 2:
                return True
        return bool(np.count_nonzero(self.label_map(imageid)) > pixels)


def shape_mask(shape: Any, size: Sequence[int]) -> Array:
    """The pixels of an object, (H, W) bool.

    Args:
        shape: polygons, each (N, 2) points x, y, or a run-length code `{"counts": ..., "size": [height, width]}`.
        size: height and width of the image.

    Raises:
        LabelError: a run-length code does not fill the image.
    """
    if isinstance(shape, Mapping):
        return _decoded(shape, size)
    mask = np.zeros(size, bool)
    for polygon in shape:
        if len(polygon) >= 3:
            mask |= _filled(np.asarray(polygon, np.float64), size)
    return mask


def _filled(points: Array, size: Sequence[int]) -> Array:
    """The pixels whose centres lie in a polygon, by the even-odd rule."""
    height, width = size
    crossings = np.zeros((height + 1, width), np.int64)  # in column x, the edges between one centre and the next
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        low, high = sorted((x0, x1))
        first, last = np.clip([np.ceil(low - 0.5), np.ceil(high - 0.5)], 0, width).astype(int)
        columns = np.arange(first, last)  # those whose centres the edge passes
        rows = y0 + (columns + 0.5 - x0) * (y1 - y0) / (x1 - x0) if len(columns) else np.empty(0)
        np.add.at(crossings, (np.clip(np.ceil(rows - 0.5), 0, height).astype(int), columns), 1)
    return crossings.cumsum(axis=0)[:height] % 2 == 1


def _decoded(code: Mapping[str, Any], size: Sequence[int]) -> Array:
    counts = code["counts"]
    runs = np.array(_unpacked(counts) if isinstance(counts, str) else counts, np.int64)
    if list(code["size"]) != list(size) or runs.sum() != size[0] * size[1] or (runs < 0).any():
        raise LabelError(f"a run-length code of size {code['size']} does not fill an image of {list(size)}")
    values = np.arange(len(runs)) % 2 == 1  # runs of background and object take turns, column after column
    return np.repeat(values, runs).reshape(size[1], size[0]).T


def _unpacked(text: str) -> list[int]:
    """The run lengths of COCO's compressed form, five bits a character; from the fourth on, less the one two before."""
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs
