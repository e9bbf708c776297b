"""Checks of pictures and prompts, before anything is computed with them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ....utils.errors import ConfigError, DataError, ShapeError, listed, nearest

Array = NDArray[Any]
RECORD = ("image", "original_size", "point_coords", "point_labels", "boxes", "mask_inputs")


def require_image(image: object, name: str = "image") -> None:
    """Check that `image` is (H, W, 3) uint8.

    Raises:
        ShapeError: it has another shape.
        DataError: it is no array, or one of other numbers.
    """
    if not isinstance(image, np.ndarray):
        raise DataError(
            f"{name}: is a {type(image).__name__}, must be a NumPy array, (H, W, 3) uint8, such as "
            "np.array(Image.open(path).convert('RGB'))."
        )
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ShapeError(f"{name}: is {image.shape}, must be (H, W, 3): colours last, no transparency.")
    if image.dtype != np.uint8:
        raise DataError(f"{name}: holds {image.dtype}, must be uint8, 0..255.")


def points_prompt(coords: object, labels: object) -> tuple[Array, Array] | None:
    """Return points (P, 2) float64 and labels (P,) int64; None where there are none.

    Raises:
        ShapeError, DataError: they have other shapes, or hold what are no coordinates or no labels.
    """
    if coords is None and labels is None:
        return None
    if coords is None or labels is None:
        given, missing = ("point_labels", "point_coords") if coords is None else ("point_coords", "point_labels")
        raise ShapeError(
            f"{missing}: not given, but {given} is. Each point needs a label: 1 on the object, 0 beside it."
        )
    points, kinds = _numbers(coords, "point_coords"), np.asarray(labels)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ShapeError(f"point_coords: is {points.shape}, must be (P, 2): x and y of each point, in pixels.")
    if kinds.shape != points.shape[:1]:
        raise ShapeError(f"point_labels: is {kinds.shape}, must be {points.shape[:1]}: one for each of point_coords.")
    known = np.isin(kinds, (0, 1))
    if not known.all():
        wrong = kinds[~known][0]
        raise DataError(f"point_labels: holds {wrong}, must be 1 on the object or 0 beside it.")
    return points, kinds.astype(np.int64)


def box_prompt(box: object) -> Array | None:
    """Return a box (1, 4) float64, given as (4,) or (1, 4); None where there is none.

    Raises:
        ShapeError, DataError: it has another shape, or no area.
    """
    if box is None:
        return None
    corners = _numbers(box, "box")
    if corners.shape not in ((4,), (1, 4)):
        raise ShapeError(f"box: is {corners.shape}, must be (4,): x0, y0, x1, y1. predicttorch takes several boxes.")
    require_area(corners, "box")
    return corners.reshape(1, 4)


def require_area(boxes: Any, name: str) -> None:
    """Check that the corners of each box (..., 4) span an area; DataError where they do not."""
    empty = (boxes[..., 2] <= boxes[..., 0]) | (boxes[..., 3] <= boxes[..., 1])
    if empty.any():
        wrong = boxes[empty] if boxes.ndim > 1 else boxes[None]
        raise DataError(f"{name}: {wrong[0].tolist()} is empty; x0, y0, x1, y1 with x0 < x1 and y0 < y1 are expected.")


def mask_prompt(mask: object, size: Sequence[int]) -> Array | None:
    """Return logits (1, H, W) float32; None where there are none.

    Raises:
        ShapeError, DataError: they are not of `size` (H, W), or no finite numbers.
    """
    if mask is None:
        return None
    logits = _numbers(mask, "mask_input")
    if logits.shape != (1, *size):
        raise ShapeError(
            f"mask_input: is {logits.shape}, must be {(1, *size)}: one of the logits that predict returns third, "
            "such as low_res[best][None]."
        )
    return logits.astype(np.float32)


def require_batch(
    coords: Tensor | None, labels: Tensor | None, boxes: Tensor | None, masks: Tensor | None, mask_size: Sequence[int]
) -> None:
    """Check prompts of B objects: (B, P, 2), (B, P), (B, 4) and (B, 1, *mask_size).

    Raises:
        ShapeError, DataError: one has another shape, or a box has no area.
    """
    if (coords is None) != (labels is None):
        raise ShapeError("point_coords and point_labels: both are needed, or none.")
    given = [prompt for prompt in (coords, labels, boxes, masks) if prompt is not None]
    batch = len(given[0]) if given and given[0].ndim else 0
    points = coords.shape[1] if coords is not None and coords.ndim == 3 else "P"
    expected = {
        "point_coords": (coords, (batch, points, 2)),
        "point_labels": (labels, (batch, points)),
        "boxes": (boxes, (batch, 4)),
        "mask_input": (masks, (batch, 1, *mask_size)),
    }
    for name, (prompt, shape) in expected.items():
        if prompt is not None and tuple(prompt.shape) != shape:
            raise ShapeError(
                f"{name}: is {tuple(prompt.shape)}, must be ({', '.join(map(str, shape))}), the same number of prompts "
                "for all kinds that are given."
            )
    if labels is not None and not ((labels >= -1) & (labels <= 1)).all():
        raise DataError(f"point_labels: holds {labels.unique().tolist()}, must be 1, 0, or -1 for no point.")
    if boxes is not None:
        require_area(boxes, "boxes")


def require_record(record: Mapping[str, Any], where: str, mask_size: Sequence[int]) -> None:
    """Check a picture with its prompts, as `SAM.inference` takes it; `where` is its place, for messages.

    Raises:
        ConfigError: an entry is missing, or unknown.
        ShapeError, DataError: a prompt has another shape, or holds what cannot be.
    """
    for name in ("image", "original_size"):
        if name not in record:
            raise ConfigError(f"{where}: {name!r} is missing.{nearest(name, record)}")
    for name in record.keys() - set(RECORD):
        raise ConfigError(f"{where}[{name!r}]: is not known.{nearest(name, RECORD)} It takes: {listed(RECORD)}.")
    coords, labels, boxes, masks = (record.get(name) for name in RECORD[2:])
    try:
        require_batch(coords, labels, boxes, masks, mask_size)
    except (ShapeError, DataError) as error:
        raise type(error)(f"{where}: {error}") from error


def _numbers(given: object, name: str) -> Array:
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: is a {type(given).__name__} that holds no numbers ({error}).") from error
    if not np.isfinite(numbers).all():
        raise DataError(f"{name}: holds numbers that are not finite.")
    return numbers
