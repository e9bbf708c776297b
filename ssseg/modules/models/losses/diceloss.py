"""Dice loss."""

from torch import Tensor

from .base import BaseLoss, full_precision
from .targets import is_dense, one_hot, read_labels, without_channel


class DiceLoss(BaseLoss):
    """One minus the overlap of prediction p and target t, a ratio for each image over all classes and pixels together.

    The ratio is 2 sum(p t) / (sum(p^2) + eps + sum(t^2) + eps).
    Source: Milletari et al., "V-Net", 3DV 2016, arXiv:1606.04797, section 3.

    Args:
        use_sigmoid: p is the sigmoid of the scores, else their softmax.
        activate: False takes the scores as p.
        naive_dice: the ratio is (2 sum(p t) + eps) / (sum(p) + sum(t) + eps), without squares.
        eps: keeps the ratio defined, above 0.
        reduction: "mean" over the images that have a pixel to look at, "sum" or "none".
        ignore_index: label of the pixels that are left out. In a target with a value for each class it is the channel
            that is left out.
        scale_factor, lowest_loss_value: see `BaseLoss`.

    Shape:
        x_src: (N, C) or (N, C, ...) scores; with C = 1 label 1 is the positive class, and without `use_sigmoid` the
            scores themselves are p. In (N, C) every row counts as an image.
        x_tgt: labels (N, ...) of any integer or float dtype, or values for each class, in the shape of x_src.
        weight: (N,), a factor for each image.
        Result: () for "mean" and "sum", (N,) for "none", 0 where all pixels are ignored.

    Raises:
        ShapeError: the shapes do not fit.
        LabelError: a label is outside the classes (looked for on the CPU only).
    """

    def __init__(
        self,
        use_sigmoid: bool = True,
        activate: bool = True,
        naive_dice: bool = False,
        eps: float = 1e-3,
        reduction: str = "mean",
        ignore_index: int = -100,
        scale_factor: float = 1.0,
        lowest_loss_value: float | None = None,
    ):
        super().__init__(reduction=reduction, scale_factor=scale_factor, lowest_loss_value=lowest_loss_value)
        self.use_sigmoid = use_sigmoid
        self.activate = activate
        self.naive_dice = naive_dice
        self.eps = eps
        self.ignore_index = ignore_index

    def forward(self, x_src: Tensor, x_tgt: Tensor, weight: Tensor | None = None) -> Tensor:
        scores = full_precision(x_src)
        dense = is_dense(self.name, scores, x_tgt)
        p = self._probabilities(scores)
        if dense:
            p, t = without_channel(p, self.ignore_index), without_channel(x_tgt.to(p.dtype), self.ignore_index)
            return self.finish(self._dice(p, t, None), weight)
        labels, valid = read_labels(self.name, scores, x_tgt, self.ignore_index)
        seen = valid.flatten(1).any(dim=1) if valid.ndim > 1 else valid  # (N,)
        loss = self._dice(p, one_hot(labels, valid, p.shape[1]), valid).masked_fill(~seen, 0)
        return self.finish(loss, weight, count=seen.sum())

    def _probabilities(self, scores: Tensor) -> Tensor:
        if not self.activate:
            return scores
        if self.use_sigmoid:
            return scores.sigmoid()
        return scores.softmax(dim=1) if scores.shape[1] > 1 else scores

    def _dice(self, p: Tensor, t: Tensor, valid: Tensor | None) -> Tensor:
        """Return the loss (N,) for `p` and `t` (N, C, ...); where `valid` (N, ...) is False `t` is 0."""
        overlap = _total(p * t)
        p_size, t_size = (p, t) if self.naive_dice else (p.square(), t.square())
        p_size = p_size.sum(dim=1)
        if valid is not None:
            p_size = p_size * valid
        p_size, t_size = _total(p_size), _total(t_size)
        if self.naive_dice:
            return 1 - (2 * overlap + self.eps) / (p_size + t_size + self.eps)
        return 1 - 2 * overlap / (p_size + t_size + 2 * self.eps)


def _total(values: Tensor) -> Tensor:
    """Sum over all axes but the first."""
    return values.flatten(1).sum(dim=1) if values.ndim > 1 else values
