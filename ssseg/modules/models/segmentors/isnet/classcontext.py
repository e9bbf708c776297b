"""What the pixels of a class have in common, and back to the pixels."""

import torch
from torch import Tensor


def class_vectors(features: Tensor, scores: Tensor) -> Tensor:
    """Return (N, K, C), for each class the mean of the features of the pixels with that class as their best.

    Pixels are weighted with the softmax, over these pixels, of their score for the class. The vector of a class that
    no pixel has means nothing.

    Paper: Jin et al., "ISNet", ICCV 2021, arXiv:2108.12382, section 3.3.

    Args:
        features: (N, C, h, w).
        scores: (N, K, h, w).
    """
    scores = scores.flatten(2)  # (N, K, P)
    best = torch.zeros_like(scores, dtype=torch.bool).scatter_(1, scores.argmax(dim=1, keepdim=True), True)
    lowest = torch.finfo(scores.dtype).min  # not -inf, of which the softmax of an absent class would be NaN
    weights = scores.masked_fill(~best, lowest).softmax(dim=2)
    return weights.to(features.dtype) @ features.flatten(2).transpose(1, 2)


def spread_over_pixels(vectors: Tensor, scores: Tensor) -> Tensor:
    """Return (N, C, h, w), at each pixel the vector of the class with the best score.

    Args:
        vectors: (N, K, C), or (K, C) for all images.
        scores: (N, K, h, w).
    """
    labels = scores.argmax(dim=1).flatten(1)  # (N, P)
    images = torch.arange(labels.shape[0], device=labels.device)[:, None]
    spread = vectors[labels] if vectors.ndim == 2 else vectors[images, labels]  # (N, P, C)
    return spread.transpose(1, 2).unflatten(2, scores.shape[2:])
