from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def run_block(block: nn.Module, x: Tensor, *others: Any, use_checkpoint: bool) -> Tensor:
    """Return `block(x, *others)`, with `use_checkpoint` computed again for the gradients, which needs less memory."""
    if not use_checkpoint or not torch.is_grad_enabled():
        return block(x, *others)
    norms = [module for module in block.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    if not norms or torch.compiler.is_compiling():  # compiled, the second computation changes nothing
        return checkpoint(block, x, *others, use_reentrant=False)
    return checkpoint(block, x, *others, use_reentrant=False, context_fn=partial(_contexts, norms))


def _contexts(norms: list[Any]) -> tuple[Any, Any]:
    """Return what surrounds the first computation, and the second."""
    return nullcontext(), _averages_kept(norms)


@contextmanager
def _averages_kept(norms: list[Any]) -> Iterator[None]:
    """Let batch normalizations learn nothing of what they see: they saw the same before."""
    kept = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, kept, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count
