"""Lovász-Softmax loss and Lovász hinge."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ...utils.errors import ConfigError
from .base import BaseLoss, full_precision
from .classweight import class_weight_for, read_class_weight
from .targets import is_dense, one_hot, read_labels

_SORTED_AT_ONCE = 2**24  # errors; sorting takes about 40 bytes each


class LovaszLoss(BaseLoss):
    """Convex extension of the Jaccard loss, 1 - intersection / union.

    Without `use_sigmoid` it is the Lovász-Softmax: the mean over classes of the extension at |t - softmax(x)|.
    With it, the Lovász hinge: the extension at 1 - x (2t - 1), over pixels and classes together.

    Source: Berman et al., "The Lovász-Softmax loss", CVPR 2018, arXiv:1705.08790, equations 7 to 11, algorithm 1.

    Args:
        use_sigmoid: the hinge of logits instead of the softmax form.
        classes: "present" takes the classes that the target has, "all" all of them, a list those it names. A single
            channel always counts.
        per_image: one loss for each image rather than one for the batch.
        reduction: over images where `per_image`: "mean", "sum" or "none".
        class_weight: a factor of at least 0 for each class: of its loss in their mean, or of its hinges.
        ignore_index: label of the pixels that are left out. In a target with a value for each class it is the channel
            that is left out.
        scale_factor, lowest_loss_value: see `BaseLoss`.

    Shape:
        x_src: (N, C, ...) logits, or (N, C), which count as N pixels of one image. With C = 1 label 1 is the positive
            class, and without `use_sigmoid` the scores are taken as its probabilities.
        x_tgt: labels (N, ...) of any integer or float dtype, or one-hot in the shape of x_src.
        weight: (N,), a factor for each image, where `per_image`; else (1,).
        Result: () for "mean" and "sum"; for "none" (N,) where `per_image`, else (1,).

    Raises:
        ConfigError: `classes` is unknown, or class_weight has another length than there are classes.
        ShapeError: the shapes do not fit.
        LabelError: a label is outside the classes (looked for on the CPU only).
    """

    def __init__(
        self,
        use_sigmoid: bool = False,
        classes: str | Sequence[int] = "present",
        per_image: bool = False,
        reduction: str = "mean",
        class_weight: Sequence[float] | None = None,
        ignore_index: int = -100,
        scale_factor: float = 1.0,
        lowest_loss_value: float | None = None,
    ):
        super().__init__(reduction=reduction, scale_factor=scale_factor, lowest_loss_value=lowest_loss_value)
        if isinstance(classes, str) and classes not in ("present", "all"):
            raise ConfigError(f"{self.name}: classes={classes!r} must be 'present', 'all' or a list of classes")
        self.use_sigmoid = use_sigmoid
        self.classes = classes
        self.per_image = per_image
        self.class_weight = read_class_weight(self.name, class_weight)
        self.ignore_index = ignore_index

    def forward(self, x_src: Tensor, x_tgt: Tensor, weight: Tensor | None = None) -> Tensor:
        scores = full_precision(x_src)
        if is_dense(self.name, scores, x_tgt):
            positive, valid = x_tgt > 0.5, torch.ones_like(x_tgt[:, 0], dtype=torch.bool)
            left_out = self.ignore_index
        else:
            labels, valid = read_labels(self.name, scores, x_tgt, self.ignore_index)
            positive = one_hot(labels, valid, scores.shape[1])
            left_out = None
        scores, positive, valid = self._grouped(scores), self._grouped(positive), self._grouped(valid.unsqueeze(1))
        chosen = self._chosen(positive, left_out)
        class_weight = class_weight_for(self.name, self.class_weight, scores)
        form = self._hinge if self.use_sigmoid else self._softmax
        loss = form(scores, positive, valid, chosen, class_weight)
        return self.finish(loss, weight, count=valid.flatten(1).any(dim=1).sum())

    def _chosen(self, positive: Tensor, left_out: int | None) -> Tensor:
        """Return which classes of `positive` (G, C, P) count, (G, C) bool."""
        num_classes = positive.shape[1]
        named = range(num_classes) if isinstance(self.classes, str) else self.classes
        if any(c not in range(num_classes) for c in named):
            raise ConfigError(f"{self.name}: classes={self.classes!r} must lie in [0, {num_classes})")
        counted = torch.tensor([c in named and c != left_out for c in range(num_classes)])
        counted = counted.to(positive.device, non_blocking=True).expand(positive.shape[:2])
        return counted & positive.any(dim=2) if self.classes == "present" and num_classes > 1 else counted

    def _grouped(self, values: Tensor) -> Tensor:
        """Turn (N, C, ...) into groups of pixels (G, C, P) that share a loss."""
        if self.per_image and values.ndim > 2:
            return values.flatten(2)
        return values.transpose(0, 1).flatten(1).unsqueeze(0)

    def _softmax(
        self, scores: Tensor, positive: Tensor, valid: Tensor, chosen: Tensor, class_weight: Tensor | None
    ) -> Tensor:
        """Return the loss (G,) of `scores` and `positive` (G, C, P), `valid` (G, 1, P), `chosen` (G, C)."""
        p = scores.softmax(dim=1) if scores.shape[1] > 1 else scores
        errors = (positive.to(p.dtype) - p).abs()
        if scores.device.type == "cpu":  # sort only what is looked at; elsewhere asking for it would stall the device
            rows = (errors.detach()[chosen], positive[chosen], valid.expand_as(positive)[chosen])
            slopes = torch.zeros_like(errors)
            slopes[chosen] = jaccard_slopes(*rows)
        else:
            slopes = jaccard_slopes(errors, positive, valid.expand_as(positive))
        loss = (errors * slopes).sum(dim=2)  # (G, C)
        share = chosen if class_weight is None else chosen * class_weight
        total = share.sum(dim=1)
        return (loss * share).sum(dim=1) / torch.where(total > 0, total, 1)

    def _hinge(
        self, scores: Tensor, positive: Tensor, valid: Tensor, chosen: Tensor, class_weight: Tensor | None
    ) -> Tensor:
        """As `_softmax`."""
        errors = 1 - torch.where(positive, scores, -scores)
        if class_weight is not None:
            errors = errors * class_weight.view(-1, 1)
        seen = (valid & chosen.unsqueeze(2)).flatten(1)
        errors, positive = errors.flatten(1), positive.flatten(1) & seen
        return (F.relu(errors) * jaccard_slopes(errors, positive, seen)).sum(dim=1)


@torch.no_grad()
def jaccard_slopes(errors: Tensor, positive: Tensor, valid: Tensor) -> Tensor:
    """How much the Jaccard loss grows with each error: the gradient of its extension (algorithm 1 of the paper).

    With the errors in falling order, entry i weighs J(1..i) - J(1..i-1), written without the difference, which would
    cancel: 1 / union for a positive, intersection / (union (union - 1)) for a negative.

    Args:
        errors: (R, ..., P) float, of which each row along the last axis is a set.
        positive: (R, ..., P) bool, False where not valid.
        valid: (R, ..., P) bool; other entries weigh 0.

    Returns:
        (R, ..., P), of the dtype of `errors`.
    """
    rows = max(1, _SORTED_AT_ONCE // max(1, errors.shape[-1]))
    parts = zip(*(torch.split(t.flatten(0, -2), rows) for t in (errors, positive, valid)), strict=True)
    return torch.cat([_slopes(*part) for part in parts]).view_as(errors)


def _slopes(errors: Tensor, positive: Tensor, valid: Tensor) -> Tensor:
    order = errors.masked_fill(~valid, -torch.inf).argsort(dim=1, descending=True)
    hit = positive.gather(1, order)
    intersection = hit.sum(dim=1, keepdim=True) - hit.cumsum(dim=1, dtype=torch.int32)
    union = intersection + torch.arange(1, hit.shape[1] + 1, device=hit.device)
    intersection, union = intersection.to(errors.dtype), union.to(errors.dtype)
    slopes = torch.where(hit, 1, intersection / (union - 1)) / union
    slopes = torch.where(union == 1, 1, slopes)  # the first error is the whole loss where nothing is positive
    return torch.zeros_like(errors).scatter_(1, order, slopes) * valid
