"""Labels that swap when an image is mirrored, such as left arm and right arm."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

Pairs = Sequence[Sequence[int]]


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
