"""Annotation files of COCO, and the shapes of objects in them."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..utils.errors import DataError, LabelError
from ..utils.filekinds import shown
from ..utils.jsontext import load_json
from .annotationvalues import Array, points_of, size_of
from .paths import missing


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read an annotation file, which lists at least `images`.

    Raises:
        DataError: it is missing, no JSON, or has no list of images.
    """
    if not os.path.isfile(path):
        raise DataError(f"the annotation file {missing(path)}")
    record = load_json(path, "the annotation file")
    if not isinstance(record, dict) or not isinstance(record.get("images"), list):
        raise DataError(f"{shown(path)}: is no COCO annotation file: it has no list 'images'")
    return record


def image_names(record: Mapping[str, Any], path: str | os.PathLike[str]) -> dict[str, str]:
    """Return id -> file name of the images in `record`, read from `path`, in their order.

    Raises:
        DataError: an image has no id or file name, or the id of another one.
    """
    names: dict[str, str] = {}
    try:
        for image in record["images"]:
            name = names.setdefault(str(image["id"]), str(image["file_name"]))
            if name != image["file_name"]:
                raise DataError(f"{shown(path)}: the id {image['id']} is that of {name} and of {image['file_name']}")
    except (KeyError, TypeError) as error:
        raise DataError(f"{shown(path)}: is no COCO annotation file: an image has no {error}") from error
    return names


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
        self._path = path
        self.names = image_names(record, path)
        categories = record.get("categories") or ()
        try:
            known = {category["id"] for category in categories}
            self._sizes = {str(image["id"]): size_of(image["height"], image["width"]) for image in record["images"]}
            self._objects: dict[str, list[tuple[int, Any, float | None]]] = {}
            for entry in record["annotations"]:
                if known and entry["category_id"] not in known:
                    raise ValueError(f"an object has the category {entry['category_id']!r}, which is not listed")
                if entry["category_id"] in labels:
                    item = (labels[entry["category_id"]], _shape_of(entry), entry.get("area"))
                    self._objects.setdefault(str(entry["image_id"]), []).append(item)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{shown(path)}: is no COCO file of instances: {error!r}") from error
        if self._objects and not self._objects.keys() & self.names.keys():
            other = next(iter(self._objects))
            raise DataError(f"{shown(path)}: no object is in a listed image; the first is in one with the id {other}")

    def label_map(self, imageid: str) -> Array:
        """Paint the objects of an image, (H, W) uint8; where two overlap, the one that is listed first is seen."""
        labels = np.zeros(self._sizes[imageid], np.uint8)
        for label, shape, _ in self._objects.get(imageid, ()):
            try:
                labels[(labels == 0) & shape_mask(shape, labels.shape)] = label
            except LabelError as error:
                raise LabelError(f"{shown(self._path)}, image {imageid}: {error}") from error
        return labels

    def covers(self, imageid: str, pixels: int) -> bool:
        """Whether the objects of an image cover more than `pixels`; clear cases are decided by their listed areas."""
        objects = self._objects.get(imageid, ())
        areas = [area for *_, area in objects if isinstance(area, int | float)]
        if len(areas) == len(objects):
            if sum(areas) < pixels / 2:
                return False
            if max(areas) > pixels * 2:
                return True
        return bool(np.count_nonzero(self.label_map(imageid)) > pixels)


def _shape_of(entry: Mapping[str, Any]) -> Any:
    """Return the shape of an annotation as `shape_mask` takes it; ValueError where it has none."""
    shape = entry["segmentation"]
    if shape and isinstance(shape, list):
        return [points_of(polygon) for polygon in shape]
    if shape and isinstance(shape, Mapping):
        return shape
    raise ValueError(f"an object has no shape: its segmentation is {shape!r}; are there boxes only?")


def shape_mask(shape: Any, size: Sequence[int]) -> Array:
    """The pixels of an object, (H, W) bool.

    Args:
        shape: polygons, each (N, 2) points x, y, or a run-length code `{"counts": ..., "size": [height, width]}`.
        size: height and width of the image.

    Raises:
        LabelError: a run-length code is none, or does not fill the image.
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
    try:
        counts, stated = code["counts"], list(code["size"])
        runs = np.array(_unpacked(counts) if isinstance(counts, str) else counts).astype(np.int64, casting="safe")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise LabelError(f"a run-length code is damaged: {error!r}") from error
    room = size[0] * size[1]
    if stated != list(size) or runs.ndim != 1 or ((runs < 0) | (runs > room)).any() or runs.sum() != room:
        raise LabelError(f"a run-length code of size {stated} does not fill an image of {list(size)}")
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
        if shift > 60:
            raise ValueError(f"{text[:20]!r} holds a number that is longer than any run")
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs
