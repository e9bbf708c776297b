"""Models through `torch.compile`."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn


def compiled(model: Any, how: bool | str, **options: Any) -> Any:
    """Return what calls `model` as `SEGMENTOR_CFG['runtime']['compile']` asks for; names of parameters stay.

    Args:
        how: False as it is; True as one graph; "regional" each of its repeated blocks, in place: those that are alike
            share their code, so that a deep network starts in a fraction of the time, at nearly the same speed.
        options: of `torch.compile`.
    """
    if how == "regional":
        for block in repeated_blocks(model):
            block.compile(**options)
        return model
    return torch.compile(model, **options) if how else model


def repeated_blocks(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the innermost blocks of several layers that stand in a row with others of their class."""
    kinds = Counter(type(child) for child in module.children())
    in_a_row = isinstance(module, nn.ModuleList | nn.Sequential)
    for child in module.children():
        inside = list(repeated_blocks(child))
        is_block = next(child.children(), None) is not None and not isinstance(child, nn.ModuleList)
        yield from inside or ([child] if in_a_row and is_block and kinds[type(child)] > 1 else [])
