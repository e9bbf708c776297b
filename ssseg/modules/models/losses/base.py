"""What all losses share: weighting, reduction, scaling and the floor."""

from math import isfinite
from typing import ClassVar

import torch
from torch import Tensor, nn

from ...utils.errors import ConfigError, ShapeError, nearest


class BaseLoss(nn.Module):
    """A subclass computes a loss tensor and hands it to `finish`.

    Args:
        reduction: "mean", "sum" or "none".
        scale_factor: multiplies the reduced loss.
        lowest_loss_value: None, or the level b that the scaled loss l is kept at: the result is |l - b| + b, so that
            below b the gradient points up again. Source: Ishida et al., "Do We Need Zero Training Loss After
            Achieving Zero Training Error?", ICML 2020, arXiv:2002.08709, equation 1.

    Raises:
        ConfigError: `reduction` is unknown, or a number is none.
    """

    reductions: ClassVar[tuple[str, ...]] = ("mean", "sum", "none")

    def __init__(self, *, reduction: str, scale_factor: float, lowest_loss_value: float | None):
        super().__init__()
        if reduction not in self.reductions:
            raise ConfigError(
                f"{self.name}: reduction={reduction!r} must be one of {', '.join(self.reductions)}."
                f"{nearest(reduction, self.reductions)}"
            )
        for field, value in (("scale_factor", scale_factor), ("lowest_loss_value", lowest_loss_value)):
            optional = field == "lowest_loss_value" and value is None
            if not optional and (isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value)):
                raise ConfigError(f"{self.name}: {field}={value!r} must be a finite number")
        self.reduction = reduction
        self.scale_factor = scale_factor
        self.lowest_loss_value = lowest_loss_value

    @property
    def name(self) -> str:
        """The class's name, which starts every error message."""
        return type(self).__name__

    def finish(self, loss: Tensor, weight: Tensor | None = None, count: Tensor | int | None = None) -> Tensor:
        """Weight `loss`, reduce it, scale it and keep it at its floor.

        Args:
            loss: any shape.
            weight: None, or a factor for each element; it broadcasts, and the axis of the classes may be missing or 1.
            count: what a mean divides the sum by; None is the number of elements. Where it is 0, the sum must be 0.

        Raises:
            ShapeError: `weight` does not fit `loss`.
        """
        if weight is not None:
            loss = loss * self._fitted(weight, loss)
        if self.reduction != "none":
            if count is None:
                count = loss.numel()
            loss = loss.sum()
            if self.reduction != "sum":
                loss = loss / (torch.where(count > 0, count, 1) if isinstance(count, Tensor) else max(count, 1))
        loss = loss * self.scale_factor
        if self.lowest_loss_value is not None:
            loss = (loss - self.lowest_loss_value).abs() + self.lowest_loss_value
        return loss

    def _fitted(self, weight: Tensor, loss: Tensor) -> Tensor:
        fitted = weight
        if weight.ndim == loss.ndim + 1 and weight.shape[1] == 1:
            fitted = weight.squeeze(1)
        elif weight.ndim == loss.ndim - 1 and weight.ndim:
            fitted = weight.unsqueeze(1)
        sizes = zip(fitted.shape, loss.shape, strict=False)
        if fitted.ndim != loss.ndim or any(ours not in (1, theirs) for ours, theirs in sizes):
            raise ShapeError(f"{self.name}: weight {shape(weight)} does not broadcast to the loss {shape(loss)}")
        return fitted


def shape(tensor: Tensor) -> str:
    """Return the shape as messages print it, such as `(2, 19, 64, 64)`."""
    return str(tuple(tensor.shape))


def full_precision(tensor: Tensor) -> Tensor:
    """Return half-precision values as float32: exponentials and means over a million pixels need it."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def require_same_shape(loss: BaseLoss, x_src: Tensor, x_tgt: Tensor) -> None:
    """Raise ShapeError unless prediction and target have one shape."""
    if x_src.shape != x_tgt.shape:
        raise ShapeError(f"{loss.name}: the prediction is {shape(x_src)}, the target {shape(x_tgt)}; they must agree")
