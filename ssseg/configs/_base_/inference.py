"""How an image is cut and joined again in inference: what `experiment(inference=...)` takes."""

from collections.abc import Sequence
from typing import Any


def whole(*, probs_first: bool = False) -> dict[str, Any]:
    """The whole image at once.

    Args:
        probs_first: average probabilities instead of scores over scales and flips.
    """
    return {"forward": {"mode": "whole", "cropsize": None, "stride": None}, "tta": _tta(probs_first)}


def slide(
    cropsize: int | tuple[int, int],
    stride: int | None = None,
    *,
    probs_first: bool = True,
    scales: Sequence[float] = (1,),
    flip: bool = False,
) -> dict[str, Any]:
    """A window that moves over the image; where windows overlap their scores are averaged.

    Args:
        cropsize: height and width of the window in pixels, one number for a square.
        stride: how far it moves in each direction, in pixels; two thirds of its shorter side where it is not given.
        probs_first: average probabilities instead of scores.
        scales, flip: sizes of the image, relative to its own, and whether it is mirrored as well, to be averaged over.
    """
    height, width = (cropsize, cropsize) if isinstance(cropsize, int) else cropsize
    step = min(height, width) * 2 // 3 if stride is None else stride
    return {
        "forward": {"mode": "slide", "cropsize": (height, width), "stride": (step, step)},
        "tta": _tta(probs_first, scales, flip),
    }


def _tta(probs_first: bool, scales: Sequence[float] = (1,), flip: bool = False) -> dict[str, Any]:
    return {"multiscale": list(scales), "flip": flip, "use_probs_before_resize": probs_first}
