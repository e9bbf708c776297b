"""Reads a target of a loss over classes: a map of labels, or a value for each class (one-hot, soft)."""

import torch
from torch import Tensor

from ...utils.errors import LabelError, ShapeError, listed
from .base import shape


def is_dense(owner: str, scores: Tensor, target: Tensor) -> bool:
    """Tell whether `target` has a value for each class of `scores` (N, C, ...), rather than a label (N, ...).

    Raises:
        ShapeError: it is neither.
    """
    if scores.ndim > 1 and target.shape == scores.shape:
        return True
    if scores.ndim > 1 and target.shape == scores.shape[:1] + scores.shape[2:]:
        return False
    raise ShapeError(
        f"{owner}: the target {shape(target)} fits the prediction {shape(scores)} neither as labels, "
        "which have its shape without axis 1, nor as values for each class, which have its shape"
    )


def read_labels(owner: str, scores: Tensor, target: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    """Return `target` as int64 and where it is valid, that is, not `ignore_index`; both (N, ...).

    One channel separates two classes: label 1 is the positive one.

    Raises:
        LabelError: on the CPU, a valid label is no whole number or outside the classes. Elsewhere looking would stall
            the device; the data loader has looked.
    """
    labels = target.long()
    valid = labels != ignore_index
    if target.device.type == "cpu" and target.numel():
        _check_labels(owner, target.masked_fill(~valid, 0), max(scores.shape[1], 2), ignore_index)
    return labels, valid


def _check_labels(owner: str, target: Tensor, num_classes: int, ignore_index: int) -> None:
    lowest, highest = target.aminmax()
    if not (lowest >= 0 and highest < num_classes):  # also where they are NaN
        wrong = target[~((target >= 0) & (target < num_classes))]
        fault = f"are outside the {num_classes} classes and not ignore_index={ignore_index}"
    elif target.is_floating_point() and not torch.equal(target, target.trunc()):
        wrong = target[target != target.trunc()]
        fault = "are not whole numbers"
    else:
        return
    values = [f"{value:g}" for value in sorted(set(wrong.tolist()))]
    hint = f" ignore_index={values[0]} would leave {values[0]} out." if values in (["255"], ["-100"]) else ""
    raise LabelError(f"{owner}: the labels {listed(values, 8)} of {len(wrong)} pixels {fault}.{hint}")


def one_hot(labels: Tensor, valid: Tensor, num_channels: int) -> Tensor:
    """Return which channel each label stands for, (N, C, ...) bool; none where it is not valid."""
    channels = torch.arange(num_channels, device=labels.device) if num_channels > 1 else labels.new_ones(1)
    channels = channels.view(-1, *[1] * (labels.ndim - 1))
    return (labels.unsqueeze(1) == channels) & valid.unsqueeze(1)


def without_channel(tensor: Tensor, index: int, dim: int = 1) -> Tensor:
    """Return `tensor` without channel `index`; as it is where there is no such channel."""
    if not 0 <= index < tensor.shape[dim]:
        return tensor
    return torch.cat([tensor.narrow(dim, 0, index), tensor.narrow(dim, index + 1, tensor.shape[dim] - index - 1)], dim)
