"""Files of polygons that LabelMe writes, one beside each image."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..utils.errors import LabelError, listed, nearest
from ..utils.filekinds import shown
from ..utils.jsontext import load_json
from .annotationvalues import points_of, size_of
from .cocojson import shape_mask

BACKGROUND, IGNORED = "_background_", "__ignore__"  # LabelMe's own names
UNLABELLED = 255


def read_shapes(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a file of LabelMe: `shapes`, `imagePath`, `imageHeight`, `imageWidth`.

    Raises:
        LabelError: it is no such file, or a shape has no label.
    """
    record = load_json(path, "the file of polygons", LabelError)
    lacking = [key for key in ("shapes", "imagePath", "imageHeight", "imageWidth") if key not in dict_of(record)]
    if lacking:
        raise LabelError(f"{shown(path)}: is no file of LabelMe: it has no {listed(lacking)}")
    try:
        size_of(record["imageHeight"], record["imageWidth"])
    except ValueError as error:
        raise LabelError(f"{shown(path)}: {error}") from error
    if not isinstance(record["shapes"], list):
        raise LabelError(f"{shown(path)}: is no file of LabelMe: its shapes are no list")
    for position, shape in enumerate(record["shapes"]):
        if not dict_of(shape).get("label"):
            raise LabelError(f"{shown(path)}, shape {position}: has no label")
    return dict_of(record)


def paint_shapes(path: str | os.PathLike[str], numbers: Mapping[str, int]) -> np.ndarray[Any, Any]:
    """Paint the shapes of a file, (H, W) int32; a later one covers an earlier one, as LabelMe shows them.

    Args:
        numbers: of each name. Pixels without a shape are 0, those called `__ignore__` are 255 unless it is listed.

    Raises:
        LabelError: the file cannot be used, or has a name that is not in `numbers`, or a shape without an area.
    """
    record = read_shapes(path)
    known = {BACKGROUND: 0, IGNORED: UNLABELLED, **numbers}
    size = record["imageHeight"], record["imageWidth"]
    labels = np.zeros(size, np.int32)
    for position, shape in enumerate(record["shapes"]):
        name = str(dict_of(shape).get("label"))
        if name not in known:
            raise LabelError(f"{shown(path)}, shape {position}: the class {name!r} is unknown.{nearest(name, known)}")
        labels[shape_mask([outline(shape, f"{shown(path)}, shape {position}")], size)] = known[name]
    return labels


def outline(shape: Any, where: str) -> np.ndarray[Any, Any]:
    """Return a shape as a polygon, (N, 2) points x, y."""
    try:
        kind, points = shape.get("shape_type") or "polygon", points_of(shape["points"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LabelError(f"{where}: is no shape: {error!r}") from error
    if kind == "polygon" and len(points) >= 3:
        return points
    if kind == "rectangle" and len(points) == 2:
        (x0, y0), (x1, y1) = points
        return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    if kind == "circle" and len(points) == 2:
        turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        return points[0] + np.hypot(*(points[1] - points[0])) * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    raise LabelError(
        f"{where}: a {kind} of {len(points)} points has no area. Shapes that are read: polygons, rectangles, circles."
    )


def dict_of(value: Any) -> dict[str, Any]:
    """Return `value` where it is a dictionary, else an empty one."""
    return value if isinstance(value, dict) else {}
