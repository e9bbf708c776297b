"""Scores of overlapping windows, and of resized and mirrored copies of an image."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ....utils.errors import ConfigError

Pairs = Sequence[Sequence[int]]  # labels that swap in a mirrored image, such as (left arm, right arm)
Score = Callable[[Tensor], Tensor]

_WHERE = "SEGMENTOR_CFG['inference']['forward']"


def score_windows(score: Score, images: Tensor, cropsize: Sequence[int], stride: Sequence[int]) -> Tensor:
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


def score_augmented(
    score: Score, images: Tensor, scales: Sequence[float], pairs: Pairs | None, align_corners: bool
) -> Iterator[Tensor]:
    """Yield the scores of `images` at each scale; where `pairs` is given, after each those of the mirrored images.

    Args:
        score: gives the scores (N, K, h, w) of images, at any size.
        pairs: the scores of these labels are swapped back; None leaves out mirrored images.
    """
    for scale in scales:
        scaled = F.interpolate(images, scale_factor=scale, mode="bilinear", align_corners=align_corners)
        yield score(scaled)
        if pairs is not None:
            yield swap_labels(score(scaled.flip(3)).flip(3), pairs)


def swap_labels(scores: Tensor, pairs: Pairs) -> Tensor:
    """Return `scores` (N, K, h, w) with the two channels of each pair exchanged."""
    order = list(range(scores.shape[1]))
    for one, other in pairs:
        order[one], order[other] = order[other], order[one]
    return scores[:, order]


def flip_pairs(cfg: Mapping[str, Any]) -> Pairs:
    """Return the label pairs of `SEGMENTOR_CFG`: the test-time augmentation's own, else those of a RandomFlip."""
    own = (cfg["inference"].get("tta") or {}).get("fixed_seg_target_pairs")
    if own is not None:
        return own
    found = (flip.get("fixed_seg_target_pairs") for flip in _random_flips(cfg.get("dataset")))
    return next((pairs for pairs in found if pairs), ())


def _random_flips(node: object) -> Iterator[Mapping[str, Any]]:
    """Yield the options of every RandomFlip below `node`, written as a tuple or as a dict, in any pipeline."""
    if isinstance(node, Mapping):
        if node.get("type") == "RandomFlip":
            yield node
        for value in node.values():
            yield from _random_flips(value)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        if len(node) == 2 and node[0] == "RandomFlip" and isinstance(node[1], Mapping):
            yield node[1]
        for value in node:
            yield from _random_flips(value)


def _pair(name: str, given: Any) -> tuple[int, int]:
    pair = tuple(given) if isinstance(given, Sequence) else ()
    if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
        raise ConfigError(f"{_WHERE}[{name!r}]: {given!r} must be two positive integers: height, width.")
    return pair


def _starts(length: int, size: int, step: int) -> list[int]:
    count = max(length - size + step - 1, 0) // step + 1
    return [min(i * step, max(length - size, 0)) for i in range(count)]
