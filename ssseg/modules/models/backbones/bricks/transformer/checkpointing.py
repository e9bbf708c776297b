from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def run_block(block: nn.Module, x: Tensor, *others: Any, use_checkpoint: bool) -> Tensor:
    """Return `block(x, *others)`, with `use_checkpoint` computed again for the gradients, which needs less memory."""
    if use_checkpoint and torch.is_grad_enabled():
        return checkpoint(block, x, *others, use_reentrant=False)
    return block(x, *others)
