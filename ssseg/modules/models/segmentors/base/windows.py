"""Scores of an image that is larger than what the network sees at once."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ....utils.errors import ConfigError

_WHERE = "SEGMENTOR_CFG['inference']['forward']"
PIXELS_AT_ONCE = 2**22  # of a GPU; more windows at once are hardly faster

Score = Callable[[Tensor], Tensor]
Enlarge = Callable[[Tensor, Tensor], Tensor]


class Windows(NamedTuple):
    """Where windows of one size lie in an image, and how many of them go through the network together.

    `Windows.over` says more.
    """

    height: int
    width: int
    tops: list[int]
    lefts: list[int]
    at_once: int

    @classmethod
    def over(
        cls, images: Tensor, cropsize: Sequence[int] | None, stride: Sequence[int] | None, at_once: int | None = None
    ) -> "Windows":
        """Cover images (N, C, H, W).

        Args:
            cropsize, stride: height and width of a window, and how far the next one lies, in pixels. A window that
                would reach over the right or lower edge is moved back inside; one larger than the image is cut to it.
            at_once: windows, of one row; None means one on a CPU, where more are no faster, else what a GPU likes.

        Raises:
            ConfigError: a size is no positive integer, or the windows leave gaps.
        """
        (height, width), (down, right) = _pair("cropsize", cropsize), _pair("stride", stride)
        if down > height or right > width:
            raise ConfigError(
                f"{_WHERE}['stride']: {(down, right)} leaves gaps between windows of cropsize {(height, width)}; it "
                "must not be larger."
            )
        if at_once is not None and (isinstance(at_once, bool) or not isinstance(at_once, int) or at_once < 1):
            raise ConfigError(f"{_WHERE}['windows_at_once']: {at_once!r} must be an integer of at least 1, or None.")
        n, _, rows, columns = images.shape
        size = min(height, rows), min(width, columns)
        if at_once is None:
            at_once = 1 if images.device.type == "cpu" else max(1, PIXELS_AT_ONCE // (n * size[0] * size[1]))
        return cls(*size, _starts(rows, height, down), _starts(columns, width, right), at_once)

    def counts(self, images: Tensor) -> Tensor:
        """Return (H, W): how many windows show each pixel."""
        rows, columns = (images.new_zeros(length) for length in images.shape[2:])
        for top in self.tops:
            rows[top : top + self.height] += 1
        for left in self.lefts:
            columns[left : left + self.width] += 1
        return rows[:, None] * columns


def score_windows(score: Score, images: Tensor, windows: Windows, enlarge: Enlarge | None = None) -> Tensor:
    """Return the scores (N, K, H, W) of images (N, C, H, W): at each pixel the mean over the windows that show it.

    Args:
        score: gives the scores of windows.
        enlarge: brings scores to the size of their windows, which are its second argument; None where they have it.
    """
    total: Any = None  # made once the number of classes is known
    for top in windows.tops:
        for left, scores in _scores_of_row(score, images, windows, enlarge, top):
            if total is None:
                total = images.new_zeros(*scores.shape[:2], *images.shape[2:])
            total[:, :, top : top + windows.height, left : left + windows.width] += scores
    return total.div_(windows.counts(images))


def score_bands(
    score: Score, images: Tensor, windows: Windows, enlarge: Enlarge | None = None
) -> Iterator[tuple[slice, Tensor]]:
    """Yield the rows of the result of `score_windows` from above, in bands: where they lie, and (N, K, rows, W).

    No more scores are held than those of one row of windows, however high the images are.
    """
    held: Any = None
    counts = windows.counts(images)
    for top, below in pairwise([*windows.tops, images.shape[2]]):
        for left, scores in _scores_of_row(score, images, windows, enlarge, top):
            if held is None:
                held = images.new_zeros(*scores.shape[:2], windows.height, images.shape[3])
            held[:, :, :, left : left + windows.width] += scores
        done = below - top  # rows that no other window shows
        yield slice(top, below), held[:, :, :done].div_(counts[top:below])
        held[:, :, : windows.height - done] = held[:, :, done:].clone()
        held[:, :, windows.height - done :] = 0


def _scores_of_row(
    score: Score, images: Tensor, windows: Windows, enlarge: Enlarge | None, top: int
) -> Iterator[tuple[int, Tensor]]:
    """Yield the left side of each window of a row, and its scores at its size."""
    lefts, at_once = windows.lefts, windows.at_once
    for some in (lefts[i : i + at_once] for i in range(0, len(lefts), at_once)):
        shown = [images[:, :, top : top + windows.height, left : left + windows.width] for left in some]
        scores = score(shown[0] if len(shown) == 1 else torch.cat(shown))
        for left, window, own in zip(some, shown, scores.split(len(images)), strict=True):
            yield left, own if enlarge is None else enlarge(own, window)


def _pair(name: str, given: Any) -> tuple[int, int]:
    pair = tuple(given) if isinstance(given, Sequence) else ()
    if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
        raise ConfigError(f"{_WHERE}[{name!r}]: {given!r} must be two positive integers: height, width.")
    return pair


def _starts(length: int, size: int, step: int) -> list[int]:
    count = max(length - size + step - 1, 0) // step + 1
    return [min(i * step, max(length - size, 0)) for i in range(count)]
