"""How a memory of the classes follows the features of a step."""

from typing import TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor

from ....utils.distributed import all_reduce
from ....utils.errors import ConfigError
from ..base import resize


class Momentum(TypedDict, total=False):
    """Share of a step's features in the memory; with `adjust_by_learning_rate` it is that at `base_lr`."""

    base_momentum: float
    base_lr: float | None
    adjust_by_learning_rate: bool


def momentum_for(cfg: Momentum, learning_rate: float | None) -> float:
    """Return the share of a step's features in the memory, in [0, 1].

    Raises:
        ConfigError: it depends on the learning rate, and that or `base_lr` is not given.
    """
    if not cfg.get("adjust_by_learning_rate"):
        return cfg["base_momentum"]
    base_lr = cfg.get("base_lr")
    if not base_lr or learning_rate is None:
        raise ConfigError(
            "SEGMENTOR_CFG['head']['update_cfg']['momentum_cfg']: adjust_by_learning_rate needs 'base_lr' above 0, and "
            f"forward(learning_rate=...); they are {base_lr!r} and {learning_rate!r}."
        )
    return cfg["base_momentum"] / base_lr * learning_rate


def class_means(
    features: Tensor, labels: Tensor, num_classes: int, align_corners: bool, unlike: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the mean features (K, C) of the pixels of each class, in the images of all processes; which occur (K,).

    Args:
        features: (N, C, h, w), enlarged to the size of the labels.
        labels: (N, H, W); those outside the classes count for none.
        unlike: (K, C); a pixel counts 1 - its cosine similarity with the row of its class, unless that is all 0.
    """
    dtype = torch.promote_types(features.dtype, torch.float32)
    classes = torch.arange(num_classes, device=labels.device)[:, None]
    sums = features.new_zeros(num_classes, features.shape[1], dtype=dtype)
    totals = features.new_zeros(num_classes, 1, dtype=dtype)
    with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
        for image, target in zip(features.to(dtype), labels, strict=True):  # enlarged, all would need much memory
            pixels = resize(image[None], (target.shape[0], target.shape[1]), align_corners)[0].flatten(1)  # (C, P)
            weights = (target.flatten() == classes).to(dtype)  # (K, P)
            if unlike is not None:
                weights = weights * (1 - F.normalize(unlike.to(dtype), dim=1) @ F.normalize(pixels, dim=0))
            sums += weights @ pixels.T
            totals += weights.sum(dim=1, keepdim=True)
        sums, totals = all_reduce(torch.cat([sums, totals], dim=1)).split([features.shape[1], 1], dim=1)
    return sums / totals.clamp(min=1e-12), totals.squeeze(1) > 0
