"""Focal loss."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ...utils.errors import ConfigError
from .pixelloss import PixelLoss


class FocalLoss(PixelLoss):
    """Cross entropy in which what is predicted well counts little: alpha_t (1 - p_t)^gamma (-log p_t).

    With `use_sigmoid` alpha_t is alpha for the positive class and 1 - alpha for the rest; without it, alpha for all.
    A soft target costs the average of what its classes cost.

    Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, arXiv:1708.02002, equation 5.

    Args:
        gamma: at least 0; 0 gives cross entropy, times alpha_t.
        alpha: in [0, 1].

    The other arguments, shapes and errors are those of `PixelLoss`.

    Raises:
        ConfigError: gamma is below 0, or alpha outside [0, 1].
    """

    def __init__(
        self,
        use_sigmoid: bool = True,
        gamma: float = 2.0,
        alpha: float = 0.25,
        reduction: str = "mean",
        class_weight: Sequence[float] | None = None,
        norm_loss_with_class_weight: bool = True,
        ignore_index: int = -100,
        scale_factor: float = 1.0,
        lowest_loss_value: float | None = None,
    ):
        super().__init__(
            use_sigmoid=use_sigmoid,
            reduction=reduction,
            class_weight=class_weight,
            norm_loss_with_class_weight=norm_loss_with_class_weight,
            ignore_index=ignore_index,
            scale_factor=scale_factor,
            lowest_loss_value=lowest_loss_value,
        )
        if gamma < 0:
            raise ConfigError(f"{self.name}: gamma={gamma!r} must be at least 0")
        if not 0 <= alpha <= 1:
            raise ConfigError(f"{self.name}: alpha={alpha!r} must lie in [0, 1]")
        self.gamma = gamma
        self.alpha = alpha

    def binary(self, scores: Tensor, target: Tensor) -> Tensor:
        positive, negative = F.softplus(-scores), F.softplus(scores)  # -log p and -log(1 - p)
        if_positive = self.alpha * torch.exp(-self.gamma * negative) * positive
        if_negative = (1 - self.alpha) * torch.exp(-self.gamma * positive) * negative
        return target * if_positive + (1 - target) * if_negative

    def categorical(self, scores: Tensor, labels: Tensor) -> Tensor:
        return self._focal(F.cross_entropy(scores, labels, ignore_index=self.ignore_index, reduction="none"))

    def categorical_dense(self, scores: Tensor, target: Tensor) -> Tensor:
        return (target * self._focal(-F.log_softmax(scores, dim=1))).sum(dim=1)

    def _focal(self, cross_entropy: Tensor) -> Tensor:
        """Return alpha (1 - p)^gamma (-log p), given -log p."""
        # above 0, where a power below 1 has no gradient
        missing = (-torch.expm1(-cross_entropy)).clamp(min=torch.finfo(cross_entropy.dtype).tiny)
        return self.alpha * missing**self.gamma * cross_entropy
