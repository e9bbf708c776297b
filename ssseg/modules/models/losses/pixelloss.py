"""What cross entropy and focal loss share: a loss for each pixel, or for each class of each pixel."""

from collections.abc import Sequence

from torch import Tensor

from ...utils.errors import ShapeError
from .base import BaseLoss, full_precision, shape
from .classweight import class_weight_for, read_class_weight, weigh_classes
from .targets import is_dense, one_hot, read_labels, without_channel


class PixelLoss(BaseLoss):
    """Weights the classes, leaves out what is ignored, and takes the mean over the rest.

    A subclass writes `binary`, `categorical` and `categorical_dense`.

    Args:
        use_sigmoid: judge each class on its own, yes or no, rather than all together through a softmax.
        reduction: "mean", "sum" or "none". The mean is over the pixels that are not ignored (with `use_sigmoid`: and
            over the classes); it is 0 where there are none.
        class_weight: a factor of at least 0 for each class.
        norm_loss_with_class_weight: divide the mean by the sum of the targets' class weights, not by their number.
        ignore_index: label of the pixels that are left out. In a target with a value for each class it is the channel
            that is left out, in the prediction too.
        scale_factor, lowest_loss_value: see `BaseLoss`.

    Shape:
        x_src: (N, C) or (N, C, ...) logits. With C = 1, which needs `use_sigmoid`, label 1 is the positive class.
        x_tgt: labels (N, ...) of any integer or float dtype, or values for each class, in the shape of x_src.
        weight: a factor for each pixel, (N, ...) or (N, 1, ...); with `use_sigmoid` also (N, C, ...).
        Result: () for "mean" and "sum"; for "none" (N, ...), with `use_sigmoid` (N, C, ...), 0 where ignored.

    Raises:
        ConfigError: class_weight has another length than there are classes.
        ShapeError: the shapes do not fit, or one channel without `use_sigmoid`.
        LabelError: a label is outside the classes (looked for on the CPU only).
    """

    def __init__(
        self,
        *,
        use_sigmoid: bool,
        reduction: str,
        class_weight: Sequence[float] | None,
        norm_loss_with_class_weight: bool,
        ignore_index: int,
        scale_factor: float,
        lowest_loss_value: float | None,
    ):
        super().__init__(reduction=reduction, scale_factor=scale_factor, lowest_loss_value=lowest_loss_value)
        self.use_sigmoid = use_sigmoid
        self.class_weight = read_class_weight(self.name, class_weight)
        self.norm_loss_with_class_weight = norm_loss_with_class_weight
        self.ignore_index = ignore_index

    def binary(self, scores: Tensor, target: Tensor) -> Tensor:
        """Loss (N, C, ...) of each class; `target` (N, C, ...) lies in [0, 1]."""
        raise NotImplementedError

    def categorical(self, scores: Tensor, labels: Tensor) -> Tensor:
        """Loss (N, ...) of each pixel; 0 where `labels` (N, ...) is `ignore_index`."""
        raise NotImplementedError

    def categorical_dense(self, scores: Tensor, target: Tensor) -> Tensor:
        """Loss (N, ...) of each pixel; `target` (N, C, ...) holds the share of each class."""
        raise NotImplementedError

    def forward(self, x_src: Tensor, x_tgt: Tensor, weight: Tensor | None = None) -> Tensor:
        scores = full_precision(x_src)
        dense = is_dense(self.name, scores, x_tgt)
        if scores.shape[1] == 1 and not self.use_sigmoid:
            raise ShapeError(
                f"{self.name}: a softmax over the one channel of {shape(scores)} is always 1. Set use_sigmoid=True, "
                "or give the prediction a channel for each class."
            )
        class_weight = class_weight_for(self.name, self.class_weight, scores)
        if dense:
            loss, count = self._from_dense(scores, x_tgt.to(scores.dtype), class_weight)
        else:
            labels, valid = read_labels(self.name, scores, x_tgt, self.ignore_index)
            loss, count = self._from_labels(scores, labels, valid, class_weight)
        return self.finish(loss, weight, count)

    def _from_labels(
        self, scores: Tensor, labels: Tensor, valid: Tensor, class_weight: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return the loss, 0 where ignored, and what its mean divides by."""
        by_weight = class_weight is not None and self.norm_loss_with_class_weight
        if self.use_sigmoid:
            target = one_hot(labels, valid, scores.shape[1]).to(scores.dtype)
            loss = weigh_classes(self.binary(scores, target), class_weight).masked_fill(~valid.unsqueeze(1), 0)
            return loss, weigh_classes(target, class_weight).sum() if by_weight else valid.sum() * scores.shape[1]
        loss = self.categorical(scores, labels)
        if class_weight is None:
            return loss, valid.sum()
        pixel_weight = class_weight[labels.where(valid, 0)]
        return loss * pixel_weight, (pixel_weight * valid).sum() if by_weight else valid.sum()

    def _from_dense(self, scores: Tensor, target: Tensor, class_weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the loss and what its mean divides by."""
        scores, target = without_channel(scores, self.ignore_index), without_channel(target, self.ignore_index)
        if class_weight is not None:
            class_weight = without_channel(class_weight, self.ignore_index, dim=0)
        weighted = weigh_classes(target, class_weight)
        if self.use_sigmoid:
            loss = weigh_classes(self.binary(scores, target), class_weight)
        else:
            loss = self.categorical_dense(scores, weighted)
        return loss, weighted.sum() if class_weight is not None and self.norm_loss_with_class_weight else None
