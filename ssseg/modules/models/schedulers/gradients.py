"""The norm of all gradients together, and clipping to it, without waiting for the device."""

from collections.abc import Iterable

import torch
from torch import Tensor


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
