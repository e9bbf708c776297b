"""The best class of many pixels at once, and whether another is as good."""

import torch
from torch import Tensor

_ONE = 2**15  # above every class


class BestClass:
    """Finds the best of K classes.

    On a CPU `argmax` takes as long as thirty passes over the scores. Three do: the maximum, which classes reach it, and
    the sum of `_ONE + class` over these, in which the number of the classes and the class, if it is one, can be read.
    """

    def __init__(self, scores: Tensor) -> None:
        """Take the number of classes, device and dtype from (..., K, P)."""
        code = torch.arange(_ONE, _ONE + scores.shape[-2], device=scores.device).to(scores.dtype)
        self.code = code if _multiplies_exactly(scores.device) else None

    def __call__(self, scores: Tensor, near: Tensor | float, room: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the best class, and whether another one's score is at most `near` below: (..., P) int16 and bool.

        Where there is another one, the first is any number.

        Args:
            scores: (..., K, P).
            room: of the same shape, is written to; it may be `scores`.
        """
        least = scores.amax(dim=-2, keepdim=True) - near
        if self.code is None:
            return scores.argmax(dim=-2).to(torch.int16), (scores >= least).sum(dim=-2) > 1
        reached = torch.ge(scores, least, out=torch.empty_like(scores) if room is None else room)
        total = self.code @ reached
        return (total - _ONE).to(torch.int16), total >= 2 * _ONE


def first_best(logits: Tensor, pixels: int) -> Tensor:
    """Return `logits.argmax(dim=1)` in int16, so many pixels at a time: (N, K, h, w) -> (N, h, w)."""
    best_class = BestClass(logits.flatten(2))
    labels = logits.new_empty(len(logits), logits[0, 0].numel(), dtype=torch.int16)
    for image, flat in zip(labels, logits.flatten(2), strict=True):
        room = torch.empty_like(flat[:, :pixels])
        for some, scores in zip(image.split(pixels), flat.split(pixels, dim=1), strict=True):
            best, tied = best_class(scores, 0.0, room[:, : len(some)])
            some.copy_(best)
            again = tied.nonzero()[:, 0]
            some[again] = scores[:, again].argmax(dim=0).to(torch.int16)
    return labels.view(len(logits), *logits.shape[2:])


def _multiplies_exactly(device: torch.device) -> bool:
    """Return whether float32 matrices are multiplied as such, and not in TF32 or bfloat16."""
    settings = getattr(torch.backends.mkldnn, "matmul", None)
    if settings is None:  # before torch 2.9
        return device.type == "cpu" and torch.get_float32_matmul_precision() == "highest"
    return device.type == "cpu" and settings.fp32_precision in {"none", "ieee"}
