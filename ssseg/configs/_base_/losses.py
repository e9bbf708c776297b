"""The losses that several experiments share, as entries of `SEGMENTOR_CFG["losses"]`."""

from typing import Any


def cross_entropy(scale_factor: float = 1.0) -> dict[str, Any]:
    """Softmax cross entropy, averaged over the pixels of a batch, times `scale_factor`."""
    return {"type": "CrossEntropyLoss", "scale_factor": scale_factor, "ignore_index": -100, "reduction": "mean"}


def dice(scale_factor: float = 1.0) -> dict[str, Any]:
    """Dice loss, averaged over the images of a batch, times `scale_factor`."""
    return {"type": "DiceLoss", "scale_factor": scale_factor, "ignore_index": -100, "reduction": "mean"}
