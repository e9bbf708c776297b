"""Absolute difference."""

import torch.nn.functional as F
from torch import Tensor

from .base import BaseLoss, full_precision, require_same_shape


class L1Loss(BaseLoss):
    """Absolute difference of two tensors of one shape.

    Args:
        reduction, scale_factor, lowest_loss_value: see `BaseLoss`.

    Shape:
        x_src, x_tgt: any, the same. weight: broadcast to it.
        Result: () for "mean" and "sum", that of x_src for "none".

    Raises:
        ShapeError: x_src and x_tgt differ in shape, or weight does not fit.
    """

    def __init__(self, reduction: str = "mean", scale_factor: float = 1.0, lowest_loss_value: float | None = None):
        super().__init__(reduction=reduction, scale_factor=scale_factor, lowest_loss_value=lowest_loss_value)

    def forward(self, x_src: Tensor, x_tgt: Tensor, weight: Tensor | None = None) -> Tensor:
        require_same_shape(self, x_src, x_tgt)
        x_src = full_precision(x_src)
        return self.finish(F.l1_loss(x_src, x_tgt.to(x_src.dtype), reduction="none"), weight)
