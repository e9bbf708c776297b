"""Momentum with orthogonal updates for weight matrices, AdamW for everything else."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from ...utils.errors import ConfigError
from .groups import WHERE

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic that lifts small singular values fastest; Jordan, 2024


class Muon(torch.optim.Optimizer):
    """Replaces the momentum of each weight matrix by the nearest (semi-)orthogonal matrix; AdamW for the rest.

    A convolution kernel (out, in, k, k) counts as the matrix (out, in * k * k). Vectors, depthwise kernels, what has a
    single row or column, and parameters that `adamw_keys` match are not matrices: they get decoupled Adam. The two
    kinds lie in groups of their own, so that a scheduler drives both.

    Sources: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
    https://kellerjordan.github.io/posts/muon/; Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.

    Args:
        params: parameters, (name, parameter) pairs, or groups of either.
        lr: an update has the spectral norm `lr * max(1, rows / columns) ** 0.5`.
        momentum: in [0, 1).
        nesterov: look one step ahead.
        ns_steps: Newton-Schulz iterations; 5 bring singular values to about 0.7..1.2.
        weight_decay: decoupled; a step shrinks a weight by `lr * weight_decay`.
        adamw_keys: parts of the names of matrices that get AdamW: embeddings, and the classifier if you name it.
        adamw_lr_ratio: AdamW's learning rate / `lr`.
        betas, eps: of AdamW.

    Raises:
        ConfigError: a value is out of range.
    """

    takes_names = joins_groups = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.02,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_steps: int = 5,
        weight_decay: float = 0.0,
        adamw_keys: Sequence[str] = ("embed", "bias_table"),
        adamw_lr_ratio: float = 0.1,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
    ):
        for name, value in (("momentum", momentum), ("betas[0]", betas[0]), ("betas[1]", betas[1])):
            if not 0 <= value < 1:
                raise ConfigError(f"{WHERE}: Muon: {name}={value!r} must be in [0, 1)")
        for name, value in (("lr", lr), ("adamw_lr_ratio", adamw_lr_ratio), ("weight_decay", weight_decay)):
            if value < 0:
                raise ConfigError(f"{WHERE}: Muon: {name}={value!r} must not be negative")
        if ns_steps < 1:
            raise ConfigError(f"{WHERE}: Muon: ns_steps={ns_steps!r} must be 1 or more")
        groups = _by_kind(params, lr, adamw_keys, adamw_lr_ratio)
        orthogonal = {"momentum": momentum, "nesterov": nesterov, "ns_steps": ns_steps}
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay, **orthogonal, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; return what `closure` returns."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if params and group["orthogonal"]:
                self._orthogonal_step(params, group)
            elif params:
                self._adamw_step(params, group)
        return loss

    def _orthogonal_step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        grads = _gradients(params)
        for p in params:
            if not self.state[p]:
                self.state[p]["momentum_buffer"] = torch.zeros_like(p)
        buffers = [self.state[p]["momentum_buffer"] for p in params]
        torch._foreach_lerp_(buffers, grads, 1 - group["momentum"])
        updates = torch._foreach_lerp(grads, buffers, group["momentum"]) if group["nesterov"] else buffers
        torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
        for p, update in zip(params, updates, strict=True):
            matrix = _in_rows(update).flatten(1)
            scale = max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5
            rows = _in_rows(p)
            rows.add_(orthogonalize(matrix, group["ns_steps"]).view(rows.shape), alpha=-group["lr"] * scale)

    def _adamw_step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        grads, (beta1, beta2) = _gradients(params), group["betas"]
        for p in params:
            if not self.state[p]:
                self.state[p].update(step=0, exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
            self.state[p]["step"] += 1
        states = [self.state[p] for p in params]
        means, squares = [s["exp_avg"] for s in states], [s["exp_avg_sq"] for s in states]
        torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_lerp_(means, grads, 1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, grads, grads, 1 - beta2)
        denominators = torch._foreach_sqrt(squares)
        torch._foreach_div_(denominators, [(1 - beta2 ** s["step"]) ** 0.5 for s in states])
        torch._foreach_add_(denominators, group["eps"])
        torch._foreach_addcdiv_(params, means, denominators, [-group["lr"] / (1 - beta1 ** s["step"]) for s in states])


def orthogonalize(matrix: Tensor, steps: int = 5) -> Tensor:
    """Return nearly `u @ v.T` of the singular value decomposition `u @ s @ v.T` of `matrix` (m, n), in its dtype.

    The quintic Newton-Schulz iteration x <- (a + b g + c g^2) x with g = x x^T needs x only through g: the factors are
    gathered on the small side, min(m, n) square, and x is multiplied once. In float32, whatever the dtype.
    """
    x = matrix.float()
    x = x / (x.norm() + 1e-12)  # the spectral norm is now 1 or less
    x = x.T if x.shape[0] > x.shape[1] else x  # (r, n), r <= n
    a, b, c = COEFFICIENTS
    gram, product = x @ x.T, None  # (r, r)
    for step in range(1, steps + 1):
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = factor if product is None else factor @ product
        if step < steps:
            gram = factor @ gram @ factor
    y = product @ x
    return (y.T if matrix.shape[0] > matrix.shape[1] else y).to(matrix.dtype)


def _in_rows(weight: Tensor) -> Tensor:
    """View a weight so that its rows lie in one piece; the order of columns means nothing to orthogonality."""
    channels_last = weight.ndim == 4 and not weight.is_contiguous()
    return weight.permute(0, 2, 3, 1) if channels_last else weight


def _gradients(params: list[Tensor]) -> list[Tensor]:
    return [p.grad for p in params if p.grad is not None]


def _by_kind(params: Iterable[Any], lr: float, adamw_keys: Sequence[str], ratio: float) -> list[dict[str, Any]]:
    """Split each group into its matrices and its other parameters."""
    params = list(params)
    given: list[dict[str, Any]] = params if params and isinstance(params[0], dict) else [{"params": params}]
    groups = []
    for group in given:
        matrices: list[Tensor] = []
        others: list[Tensor] = []
        for entry in group["params"]:
            name, parameter = entry if isinstance(entry, tuple) else ("", entry)
            is_matrix = _is_matrix(parameter) and not any(key in name for key in adamw_keys)
            (matrices if is_matrix else others).append(parameter)
        if matrices:
            groups.append({**group, "params": matrices, "orthogonal": True})
        if others:
            multiplier, rate = group.get("lr_multiplier", 1.0) * ratio, group.get("lr", lr) * ratio
            groups.append({**group, "params": others, "orthogonal": False, "lr_multiplier": multiplier, "lr": rate})
    return groups


def _is_matrix(parameter: Tensor) -> bool:
    """Several outputs that each read several inputs, which a depthwise kernel or a (1, L, C) embedding does not."""
    return parameter.ndim >= 2 and parameter.shape[0] > 1 and parameter.shape[1] > 1
