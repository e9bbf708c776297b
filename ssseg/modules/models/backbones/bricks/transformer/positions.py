"""Tables of positions, for grids of other sizes than those they were learnt on."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .....utils.errors import CheckpointError
from .patchembed import Size


def relative_position_index(size: Size) -> Tensor:
    """Return for each pair of positions of a grid (h, w) the row of a table that belongs to their offset.

    Paper: Liu et al., "Swin Transformer", ICCV 2021, arXiv:2103.14030, section 3.2.

    Returns:
        (h * w, h * w) int64, in 0 .. (2h - 1)(2w - 1) - 1
    """
    h, w = size
    y, x = (axis.flatten() for axis in torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij"))
    return (y[:, None] - y + h - 1) * (2 * w - 1) + x[:, None] - x + w - 1


def resize_positions(table: Tensor, old: Size, new: Size, mode: str, leading: int = 0) -> Tensor:
    """Interpolate a table of vectors, one a position of a grid.

    Args:
        table: (1, leading + old[0] * old[1], C); the `leading` first, of tokens that have no position, stay.
        mode: of F.interpolate, with align_corners=False.

    Returns:
        (1, leading + new[0] * new[1], C)
    """
    if old == new:
        return table
    grid = table[:, leading:].transpose(1, 2).unflatten(2, old)  # (1, C, h, w)
    corners = None if mode == "nearest" else False
    grid = F.interpolate(grid, new, mode=mode, align_corners=corners)
    return torch.cat([table[:, :leading], grid.flatten(2).transpose(1, 2)], dim=1)


def square(count: int) -> Size:
    """Return the sides of the square grid that has `count` positions; CheckpointError where none has."""
    side = round(count**0.5)
    if side * side != count:
        raise CheckpointError(
            f"a table of {count} positions, which are no square grid, cannot be interpolated: its sides are not known."
        )
    return side, side


def drop_path_rates(last: float, depth: int) -> list[float]:
    """Return a rate for each of `depth` blocks, rising linearly from 0 to `last`."""
    return torch.linspace(0, last, depth, device="cpu").tolist()
