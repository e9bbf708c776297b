"""Cross entropy of small maps of scores at the size of the labels; the large maps never exist as a whole."""

from typing import Any

import torch
from torch import Tensor

from ..kernels import run_fastest
from .pieces import resized_pieces


def upsampled_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    *,
    class_weight: Tensor | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    align_corners: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the weighted sum over the pixels of the cross entropy of bilinearly resized logits, and of the weights.

    But for rounding the first equals the sum of `F.cross_entropy(F.interpolate(logits, ...), labels)` over the pixels,
    each multiplied with the weight of its label. The gradient is made in the forward pass, from pieces of the large
    map that fit the processor's cache: a tenth of the memory and less than half of the time. It has no second
    derivative.

    Args:
        ignore_index: label of the pixels that are left out.
        label_smoothing: in [0, 1], see `CrossEntropyLoss`.

    Shape:
        logits: (N, K, h, w), any floating dtype. labels: (N, H, W) int64, in 0 .. K - 1 or `ignore_index`.
        class_weight: (K,). Results: () float32, or float64 for such logits; the second has no gradient.
    """
    wants_gradient = torch.is_grad_enabled() and logits.requires_grad
    options = (class_weight, ignore_index, label_smoothing, align_corners, wants_gradient)
    apply = _UpsampledCrossEntropy.apply
    if torch.compiler.is_compiling():  # a loop over pieces: nothing to fuse; a decorator would load the compiler
        apply = torch.compiler.disable(apply)
    sums: tuple[Tensor, Tensor] = apply(logits, labels, *options)
    return sums


class _UpsampledCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, *options: Any) -> tuple[Tensor, Tensor]:
        loss, weight, gradient = run_fastest("crossentropy", _by_pieces, logits.detach(), labels, *options)
        ctx.save_for_backward(gradient)
        ctx.dtype = logits.dtype
        ctx.mark_non_differentiable(weight)
        return loss, weight

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():  # create_graph=True; the gradient would count as a constant
            raise RuntimeError("upsampled_cross_entropy has no second derivative; resize the logits before the loss")
        (gradient,) = ctx.saved_tensors
        return (gradient * grad_loss).to(ctx.dtype), *[None] * 6


def _by_pieces(
    logits: Tensor,
    labels: Tensor,
    class_weight: Tensor | None,
    ignore_index: int,
    label_smoothing: float,
    align_corners: bool,
    wants_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return the sums of the loss and of the weights, both (), and the gradient of the first."""
    dtype = torch.float64 if logits.dtype == torch.float64 else torch.float32
    gradient = torch.empty_like(logits, dtype=dtype) if wants_gradient else None
    last = logits.shape[1] - 1
    losses, weights = [logits.new_zeros((), dtype=dtype)], [logits.new_zeros((), dtype=dtype)]
    with torch.autocast("cpu", enabled=False):  # the matrix products of `resized_pieces`
        for image, rows, scores in resized_pieces(logits, gradient, labels.shape[1:], align_corners):
            targets = labels[image, rows].reshape(len(scores), -1)  # (R, P)
            weight = (targets != ignore_index).to(dtype)
            targets = targets.clamp(0, last)
            if class_weight is not None:
                weight *= class_weight.to(dtype)[targets]
            losses.append(_loss_then_gradient(scores, targets, weight, label_smoothing, wants_gradient))
            weights.append(weight.sum())
    return torch.stack(losses).sum(), torch.stack(weights).sum(), gradient


def _loss_then_gradient(
    scores: Tensor, targets: Tensor, weight: Tensor, label_smoothing: float, wants_gradient: bool
) -> Tensor:
    """Return the sum of the loss (); put its gradient in the place of `scores` (R, K, P)."""
    index, sure = targets[:, None], 1 - label_smoothing
    scores -= scores.amax(dim=1, keepdim=True)
    expected = sure * scores.gather(1, index)[:, 0]  # (R, P)
    if label_smoothing:
        expected += label_smoothing * scores.mean(dim=1)
    sums = scores.exp_().sum(dim=1)
    loss = ((sums.log() - expected) * weight).sum()
    if wants_gradient:
        scores *= (weight / sums)[:, None]
        scores.scatter_(1, index, scores.gather(1, index) - (sure * weight)[:, None])
        if label_smoothing:
            scores -= (label_smoothing / scores.shape[1] * weight)[:, None]
    return loss
