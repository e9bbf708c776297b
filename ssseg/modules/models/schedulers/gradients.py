"""The norm of all gradients together, and clipping to it, without waiting for the device."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from .checks import check_number


@dataclass(frozen=True)
class ClipGrad:
    """The fields of `clipgrad_cfg`.

    Args:
        max_norm: the norm of all gradients together that is not exceeded.
        norm_type: 1 for the sum of absolute values, 2 for the Euclidean norm, inf for the largest absolute value.
    """

    max_norm: float = 35
    norm_type: float = 2

    def __post_init__(self) -> None:
        check_number("['clipgrad_cfg']['max_norm']", self.max_norm)
        check_number("['clipgrad_cfg']['norm_type']", self.norm_type, minimum=1.0)


def gradients_of(params: Iterable[Tensor]) -> list[Tensor]:
    """Return the gradients that there are; of sparse ones the values, which share memory with the gradient."""
    grads = []
    for parameter in params:
        if parameter.grad is not None and parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
            grads.append(parameter.grad.values())
        elif parameter.grad is not None:
            grads.append(parameter.grad)
    return grads


@torch.no_grad()
def total_norm(grads: list[Tensor], norm_type: float = 2.0) -> Tensor:
    """Return the `norm_type`-norm () of all values of `grads` as one vector; 0 where there are none."""
    if not grads:
        return torch.zeros(())
    norms = torch._foreach_norm(grads, norm_type)
    return torch.linalg.vector_norm(torch.stack([norm.to(norms[0].device) for norm in norms]), norm_type)


@torch.no_grad()
def scale_to_norm(grads: list[Tensor], norm: Tensor, max_norm: float) -> None:
    """Scale `grads`, whose total norm is `norm`, in place, so that it becomes `max_norm` or less."""
    factor = (max_norm / (norm + 1e-6)).clamp(max=1.0)
    for device in {grad.device for grad in grads}:
        torch._foreach_mul_([grad for grad in grads if grad.device == device], factor.to(device))
