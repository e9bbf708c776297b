"""Checks of prompts for several objects of one picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....utils.errors import DataError, ShapeError
from ..sam.prompts import require_area

LABELS = {1: "on the object", 0: "beside it", -1: "no point", 2: "first corner of a box", 3: "last corner of a box"}


@dataclass(frozen=True)
class Prompts:
    """Prompts of B objects, each None where there are none of its kind.

    Args:
        points: (B, P, 2), x and y.
        labels: (B, P), see `LABELS`.
        boxes: (B, 4), x0, y0, x1, y1.
        masks: (B, 1, h, w) logits.
    """

    points: Tensor | None
    labels: Tensor | None
    boxes: Tensor | None
    masks: Tensor | None

    def to(self, device: torch.device) -> "Prompts":
        """Return them on `device`."""
        moved = (None if x is None else x.to(device) for x in (self.points, self.labels, self.boxes, self.masks))
        return Prompts(*moved)


def read_prompts(coords: Any, labels: Any, box: Any, mask: Any, grid: Sequence[int]) -> Prompts:
    """Return prompts, given as arrays or tensors of one object or several.

    Args:
        coords: (P, 2) or (B, P, 2).
        labels: (P,) or (B, P).
        box: (4,) or (B, 4).
        mask: (1, h, w) or (B, 1, h, w), with (h, w) = `grid`.

    Raises:
        ShapeError, DataError: a prompt has another shape, or holds what cannot be; or they are of several counts.
    """
    points, kinds = read_points(coords, labels)
    boxes, masks = None, None
    if box is not None:
        boxes = _numbers(box, "box")
        boxes = boxes[None] if boxes.ndim == 1 else boxes
        if boxes.ndim != 2 or boxes.shape[1] != 4 or not len(boxes):
            raise ShapeError(f"box: is {tuple(boxes.shape)}, must be (4,) or (B, 4): x0, y0, x1, y1 of each box.")
        require_area(boxes.numpy(), "box")
    if mask is not None:
        masks = _numbers(mask, "mask_input")
        masks = masks[None] if masks.ndim == 3 else masks
        if masks.shape[1:] != (1, *grid) or not len(masks):
            raise ShapeError(
                f"mask_input: is {tuple(masks.shape)}, must be {(1, *grid)} or (B, 1, ...): logits that predict "
                "returns third, such as low_res[best][None]."
            )
    counts = {
        name: len(given)
        for name, given in (("point_coords", points), ("box", boxes), ("mask_input", masks))
        if given is not None
    }
    if len(set(counts.values())) > 1:
        text = ", ".join(f"{name} of {count}" for name, count in counts.items())
        raise ShapeError(f"prompts: {text}; all must be of the same number of objects.")
    return Prompts(points, kinds, boxes, masks)


def read_points(coords: Any, labels: Any) -> tuple[Tensor, Tensor] | tuple[None, None]:
    """Return points (B, P, 2) float32 and labels (B, P) int32, given with B or without; None where there are none.

    Raises:
        ShapeError, DataError: they have other shapes, or hold what are no coordinates or no labels.
    """
    if coords is None and labels is None:
        return None, None
    if coords is None or labels is None:
        given, missing = ("point_labels", "point_coords") if coords is None else ("point_coords", "point_labels")
        raise ShapeError(
            f"{missing}: not given, but {given} is. Each point needs a label: 1 on the object, 0 beside it."
        )
    points, kinds = _numbers(coords, "point_coords"), _numbers(labels, "point_labels")
    if points.ndim == 2:
        points, kinds = points[None], kinds[None]
    if points.ndim != 3 or points.shape[2] != 2 or not points.shape[1]:
        raise ShapeError(f"point_coords: is {tuple(points.shape)}, must be (P, 2) or (B, P, 2): x and y of each point.")
    if kinds.shape != points.shape[:2]:
        raise ShapeError(
            f"point_labels: is {tuple(kinds.shape)}, must be {tuple(points.shape[:2])}: one for each of point_coords."
        )
    wrong = [kind for kind in kinds.flatten().tolist() if kind not in LABELS]
    if wrong:
        meant = ", ".join(f"{kind} ({meaning})" for kind, meaning in LABELS.items())
        raise DataError(f"point_labels: holds {wrong[0]:g}, must be of {meant}.")
    return points, kinds.int()


def read_mask(mask: Any) -> Tensor:
    """Return a mask (H, W) float32 of zeros and ones, given as an array or a tensor.

    Raises:
        ShapeError, DataError: it has another shape, or holds what are no numbers.
    """
    pixels = _numbers(mask, "mask")
    if pixels.ndim != 2 or not pixels.numel():
        raise ShapeError(f"mask: is {tuple(pixels.shape)}, must be (H, W), of one object.")
    return (pixels > 0).float()


def _numbers(given: Any, name: str) -> Tensor:
    """Return float32 on the CPU."""
    try:
        numbers = given.detach().cpu() if isinstance(given, Tensor) else torch.from_numpy(np.array(given, np.float32))
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: is a {type(given).__name__} that holds no numbers ({error}).") from error
    if not numbers.isfinite().all():
        raise DataError(f"{name}: holds numbers that are not finite.")
    return numbers.float()
