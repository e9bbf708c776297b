"""Criss-cross attention (CCNet): ours, and the usual way in plain PyTorch.

The usual way turns rows and columns into batches, writes -inf onto the diagonal of the column scores, and concatenates.
"""

from collections.abc import Callable

import torch
from harness import main
from torch import Tensor

from ssseg.modules.models.segmentors.ccnet.crisscross import attend_crosswise

Maps = tuple[Tensor, Tensor, Tensor]


def usual(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return (N, C, h, w)."""
    n, _, height, width = query.shape

    def columns(x: Tensor) -> Tensor:  # (N w, C, h)
        return x.permute(0, 3, 1, 2).reshape(n * width, -1, height)

    def rows(x: Tensor) -> Tensor:  # (N h, C, w)
        return x.permute(0, 2, 1, 3).reshape(n * height, -1, width)

    diagonal = torch.full((height,), float("inf")).diag()
    column = torch.bmm(columns(query).mT, columns(key)) - diagonal  # (N w, h, g)
    row = torch.bmm(rows(query).mT, rows(key))  # (N h, w, v)
    column = column.view(n, width, height, height).permute(0, 2, 1, 3)
    shares = torch.cat([column, row.view(n, height, width, width)], dim=3).softmax(dim=3)
    of_column = shares[..., :height].permute(0, 2, 1, 3).reshape(n * width, height, height)
    of_row = shares[..., height:].reshape(n * height, width, width)
    vertical = torch.bmm(columns(value), of_column.mT).view(n, width, -1, height).permute(0, 2, 3, 1)
    horizontal = torch.bmm(rows(value), of_row.mT).view(n, height, -1, width).permute(0, 2, 1, 3)
    return vertical + horizontal


def inputs(size: int, hidden: int, channels: int, training: bool) -> tuple[Maps, bool]:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    query, key, value = (torch.randn(1, width, size, size, requires_grad=True) for width in (hidden, hidden, channels))
    return (query, key, value), training


def called(attend: Callable[..., Tensor]) -> Callable[[Maps, bool], Tensor]:
    def call(maps: Maps, training: bool) -> Tensor:
        with torch.set_grad_enabled(training):
            result = attend(*maps)
        return torch.autograd.grad(result.square().sum(), maps)[0] if training else result

    return call


def differ(expected: Tensor, found: Tensor) -> str:
    return f"{float((expected - found).abs().max() / expected.abs().max()):.1e} of the largest value"


if __name__ == "__main__":
    main(
        __doc__,
        {
            "97 x 97, 64 and 512 channels": lambda: inputs(97, 64, 512, False),
            "97 x 97, 64 and 512 channels, training": lambda: inputs(97, 64, 512, True),
        },
        {"usual": called(usual), "ours": called(attend_crosswise)},
        differ,
    )
