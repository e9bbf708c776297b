"""Relations between classes: how they mix the vectors of classes, and how they are measured."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.distributed import all_reduce


def present_classes(scores: Tensor) -> Tensor:
    """Return (N, K) bool, which classes are somewhere the best of scores (N, K, h, w)."""
    best = scores.argmax(dim=1).flatten(1)
    return torch.zeros(scores.shape[:2], dtype=torch.bool, device=scores.device).scatter_(1, best, True)


def mix_vectors(vectors: Tensor, relations: Tensor, present: Tensor) -> Tensor:
    """Return (N, K, C), for each class the mean of the present classes' vectors, weighted with softmax(relations).

    Args:
        vectors: (N, K, C).
        relations: (K, K), how much a class, the row, needs another, the column.
        present: (N, K) bool.
    """
    # the lowest finite number, not -inf: where no class is left the mean means nothing, but must not be NaN
    scores = relations.masked_fill(~present[:, None, :], torch.finfo(relations.dtype).min)  # (N, K, K)
    return scores.softmax(dim=2).to(vectors.dtype) @ vectors


def choose_classes(present: Tensor, counter: Tensor) -> list[int]:
    """Draw for each image one of its present (N, K) classes, the seldomer the more often it was drawn (K,) before."""
    chances = (present / counter).tolist()
    return [random.choices(range(len(row)), row)[0] for row in chances]  # noqa: S311  (Python's, seeded for each step)


def measure_effects(before: Tensor, after: Tensor, labels: Tensor, deleted: Sequence[int]) -> tuple[Tensor, ...]:
    """Return the mean and variance (K, K) of what class j, the column, adds to the score of class i where i is right.

    Args:
        before, after: (N, K, h, w), scores with all classes, and without the vectors of class `deleted[n]`.
        labels: (N, h, w); those outside the classes count for none.

    Returns:
        Mean, variance, and whether there was any such pixel in the images of all processes, (K, K) bool.
    """
    num_classes = before.shape[1]
    labels = torch.where((labels >= 0) & (labels < num_classes), labels.long(), num_classes)
    pixels = F.one_hot(labels.flatten(1), num_classes + 1)[..., :-1].transpose(1, 2)  # (N, K, P)
    effects = (before - after).flatten(2).double() * pixels
    columns = F.one_hot(torch.tensor(deleted, device=labels.device), num_classes).double()  # (N, K)
    moments = torch.stack([pixels.sum(dim=2), effects.sum(dim=2), effects.square().sum(dim=2)])  # (3, N, K)
    count, total, squares = all_reduce(torch.einsum("mni,nj->mij", moments.double(), columns))
    mean = total / count.clamp(min=1)
    variance = (squares / count.clamp(min=1) - mean.square()).clamp(min=0)
    others = ~torch.eye(num_classes, dtype=torch.bool, device=labels.device)
    return mean, variance, (count > 0) & others


@contextmanager
def evaluating(*modules: nn.Module) -> Iterator[None]:
    """Put modules into eval mode for a while: dropout would blur what is compared, running averages would learn it."""
    training = [part for module in modules for part in module.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True
