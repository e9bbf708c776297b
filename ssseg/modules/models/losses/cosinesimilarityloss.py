"""One minus the cosine of the angle between two vectors."""

import torch.nn.functional as F
from torch import Tensor

from .base import BaseLoss, full_precision, require_same_shape


class CosineSimilarityLoss(BaseLoss):
    """One minus the cosine between the vectors along axis 1: 0 where they point the same way, 2 where opposite.

    Args:
        reduction, scale_factor, lowest_loss_value: see `BaseLoss`.

    Shape:
        x_src, x_tgt: (N, C) or (N, C, ...), the same. weight: broadcast to (N, ...).
        Result: () for "mean" and "sum", (N, ...) for "none".

    Raises:
        ShapeError: x_src and x_tgt differ in shape, or weight does not fit.
    """

    def __init__(self, reduction: str = "mean", scale_factor: float = 1.0, lowest_loss_value: float | None = None):
        super().__init__(reduction=reduction, scale_factor=scale_factor, lowest_loss_value=lowest_loss_value)

    def forward(self, x_src: Tensor, x_tgt: Tensor, weight: Tensor | None = None) -> Tensor:
        require_same_shape(self, x_src, x_tgt)
        x_src = full_precision(x_src)
        return self.finish(1 - F.cosine_similarity(x_src, x_tgt.to(x_src.dtype), dim=1), weight)
