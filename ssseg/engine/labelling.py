"""From an image to its label map: the only place where logits become labels."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..modules.models.upsampling import upsampled_labels


@torch.inference_mode()
def label_images(segmentor: Any, images: Tensor, size: tuple[int, int], *, augmented: bool = False) -> Tensor:
    """Return the label maps of `images` at their original `size`.

    Args:
        segmentor: in TEST mode, on the device of `images`.
        augmented: with the scales and flips of `SEGMENTOR_CFG['inference']['tta']`.

    Shape:
        images: (N, C, h, w) float. Result: (N, H, W) int16, where (H, W) is `size`.
    """
    if not augmented and _slides(segmentor) and tuple(images.shape[2:]) == tuple(size):
        labels = torch.empty(len(images), *size, dtype=torch.int16, device=images.device)
        for rows, scores in segmentor.inference_in_bands(images):
            labels[:, rows] = logits_to_labels(scores, scores.shape[2:], segmentor.align_corners)
        return labels
    if not augmented:
        return logits_to_labels(segmentor.inference(images), size, segmentor.align_corners)
    already_probabilities = segmentor.cfg["inference"]["tta"].get("use_probs_before_resize", False)
    total = torch.zeros(())
    for logits in segmentor.auginference(images):
        scores = _resize(logits, size, segmentor.align_corners)
        total = total + (scores if already_probabilities else segmentor.probabilities(scores))
    return total.argmax(dim=1).to(torch.int16)


def _slides(segmentor: Any) -> bool:
    forward = segmentor.cfg["inference"].get("forward") or {}
    return hasattr(segmentor, "inference_in_bands") and bool(forward.get("mode") == "slide")


def logits_to_labels(logits: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """Return the best class of each pixel after bilinear resizing: logits (N, K, h, w) -> (N, H, W) int16."""
    return upsampled_labels(logits.float(), size, align_corners)


def _resize(scores: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    if tuple(scores.shape[2:]) == tuple(size):
        return scores
    return F.interpolate(scores.float(), size=size, mode="bilinear", align_corners=align_corners)
