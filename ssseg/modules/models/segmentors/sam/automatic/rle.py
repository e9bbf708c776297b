"""Masks as run lengths, column by column, as COCO stores them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .....utils.errors import DataError

RLE = Mapping[str, Any]
"""`size` (H, W), and `counts`: lengths of runs, from the top left downwards, the first one outside of the mask."""


def rle_of_mask(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the run lengths of a mask (H, W)."""
    flat = mask.ravel(order="F")
    ends = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    return {"size": [*mask.shape], "counts": [0, *counts] if flat.size and flat[0] else counts}


def mask_of_rle(rle: RLE) -> NDArray[np.bool_]:
    """Return the mask (H, W) of run lengths; DataError where they do not fill it."""
    height, width = rle["size"]
    counts = np.asarray(rle["counts"], dtype=np.int64)
    if counts.sum() != height * width or (counts < 0).any():
        raise DataError(f"run lengths: they add up to {counts.sum()}, the mask has {height} x {width} pixels.")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(height, width, order="F")


def area_of_rle(rle: RLE) -> int:
    """Return the number of pixels of a mask."""
    return sum(rle["counts"][1::2])


def coco_rle(rle: RLE) -> dict[str, Any]:
    """Return run lengths as COCO's files have them, `counts` as a string.

    From the fourth on a run is stored as the difference to the one before the last. Five bits make a character, the
    lowest first; a sixth says whether more follow, and the last group's highest bit is the sign.

    Source: the compressed format of the COCO API, https://github.com/cocodataset/cocoapi, common/maskApi.c.
    """
    counts = rle["counts"]
    text = []
    for i, count in enumerate(counts):
        number = count - counts[i - 2] if i > 2 else count
        more = True
        while more:
            group, number = number & 31, number >> 5
            more = number != (-1 if group & 16 else 0)
            text.append(chr(48 + (group | 32 * more)))
    return {"size": list(rle["size"]), "counts": "".join(text)}
