"""From an image to its label map: the only place where logits become labels."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@torch.inference_mode()
def label_images(segmentor: Any, images: Tensor, size: tuple[int, int], *, augmented: bool = False) -> Tensor:
    """Return the label maps of `images` at their original `size`.

    Args:
        segmentor: in TEST mode, on the device of `images`.
        augmented: with the scales and flips of `SEGMENTOR_CFG['inference']['tta']`.

    Shape:
        images: (N, C, h, w) float. Result: (N, H, W) int16, where (H, W) is `size`.
    """
    if not augmented:
        return logits_to_labels(segmentor.inference(images), size, segmentor.align_corners)
    already_probabilities = segmentor.cfg["inference"]["tta"].get("use_probs_before_resize", False)
    total = torch.zeros(())
    for logits in segmentor.auginference(images):
        scores = _resize(logits, size, segmentor.align_corners)
        total = total + (scores if already_probabilities else scores.softmax(dim=1))
    return total.argmax(dim=1).to(torch.int16)


def logits_to_labels(logits: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    """Return the best class of each pixel after bilinear resizing: logits (N, K, h, w) -> (N, H, W) int16."""
    return _resize(logits, size, align_corners).argmax(dim=1).to(torch.int16)


def _resize(scores: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    if tuple(scores.shape[2:]) == tuple(size):
        return scores
    return F.interpolate(scores.float(), size=size, mode="bilinear", align_corners=align_corners)
