"""Scores of an image that is larger than what the network sees at once."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from ....utils.errors import ConfigError

_WHERE = "SEGMENTOR_CFG['inference']['forward']"


def score_windows(
    score: Callable[[Tensor], Tensor], images: Tensor, cropsize: Sequence[int] | None, stride: Sequence[int] | None
) -> Tensor:
    """Return the scores (N, K, H, W) of images (N, C, H, W): at each pixel the mean over the windows that show it.

    Args:
        score: gives the scores of one window, at its size.
        cropsize, stride: height and width of a window, and how far the next one lies, in pixels. A window that would
            reach over the right or lower edge is moved back inside; one larger than the image is cut to it.

    Raises:
        ConfigError: a size is no positive integer, or the windows leave gaps.
    """
    (height, width), (down, right) = _pair("cropsize", cropsize), _pair("stride", stride)
    if down > height or right > width:
        raise ConfigError(
            f"{_WHERE}['stride']: {(down, right)} leaves gaps between windows of cropsize {(height, width)}; it must "
            "not be larger."
        )
    total: Any = None  # made once the number of classes is known
    counts = images.new_zeros(1, 1, *images.shape[2:])
    for top in _starts(images.shape[2], height, down):
        for left in _starts(images.shape[3], width, right):
            window = (..., slice(top, top + height), slice(left, left + width))
            scores = score(images[window])
            if total is None:
                total = images.new_zeros(*scores.shape[:2], *images.shape[2:])
            total[window] += scores
            counts[window] += 1
    return total / counts


def _pair(name: str, given: Any) -> tuple[int, int]:
    pair = tuple(given) if isinstance(given, Sequence) else ()
    if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
        raise ConfigError(f"{_WHERE}[{name!r}]: {given!r} must be two positive integers: height, width.")
    return pair


def _starts(length: int, size: int, step: int) -> list[int]:
    count = max(length - size + step - 1, 0) // step + 1
    return [min(i * step, max(length - size, 0)) for i in range(count)]
