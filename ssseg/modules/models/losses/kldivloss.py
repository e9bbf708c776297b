"""Kullback-Leibler divergence between two softmax distributions."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from ...utils.errors import ConfigError
from .base import BaseLoss, full_precision, require_same_shape


class KLDivLoss(BaseLoss):
    """How far the student's class distribution is from the teacher's: T^2 KL(softmax(x_tgt / T) || softmax(x_src / T)).

    Source: Hinton et al., "Distilling the Knowledge in a Neural Network", 2015, arXiv:1503.02531, section 2.

    Args:
        temperature: T, above 0. T^2 keeps the gradient's size when T changes.
        reduction: "mean" over all elements, "sum", "none", or "batchmean", the sum divided by N.
        scale_factor, lowest_loss_value: see `BaseLoss`.

    Shape:
        x_src, x_tgt: (N, C) or (N, C, ...) logits, the same. weight: broadcast to it; it may lack axis 1.
        Result: (), or that of x_src for "none": the terms of the sum over classes, which may be negative.

    Raises:
        ConfigError: the temperature is not above 0.
        ShapeError: x_src and x_tgt differ in shape, or weight does not fit.
    """

    reductions: ClassVar[tuple[str, ...]] = ("mean", "sum", "none", "batchmean")

    def __init__(
        self,
        temperature: float = 1.0,
        reduction: str = "mean",
        scale_factor: float = 1.0,
        lowest_loss_value: float | None = None,
    ):
        super().__init__(reduction=reduction, scale_factor=scale_factor, lowest_loss_value=lowest_loss_value)
        if temperature <= 0:
            raise ConfigError(f"{self.name}: temperature={temperature!r} must be above 0")
        self.temperature = temperature

    def forward(self, x_src: Tensor, x_tgt: Tensor, weight: Tensor | None = None) -> Tensor:
        require_same_shape(self, x_src, x_tgt)
        student = F.log_softmax(full_precision(x_src) / self.temperature, dim=1)
        teacher = F.log_softmax(full_precision(x_tgt) / self.temperature, dim=1)
        loss = F.kl_div(student, teacher.to(student.dtype), reduction="none", log_target=True) * self.temperature**2
        return self.finish(loss, weight, count=len(loss) if self.reduction == "batchmean" else None)
