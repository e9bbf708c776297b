"""Which two values of a row bilinear resizing reads, and how much of each it takes."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

ROUND = 4  # values in a row whose weights are told apart: two that are read, and one to each side that may be


class Taps(NamedTuple):
    """Each place of the result is `near * x[before] + far * x[after]`, all (length of the result,)."""

    before: Tensor
    after: Tensor
    near: Tensor
    far: Tensor

    @classmethod
    def of(cls, given: int, wanted: int, align_corners: bool, like: Tensor) -> "Taps":
        """Return the taps from `given` to `wanted` values, on the device and of the dtype of `like`.

        The weights come from `F.interpolate` itself: the position of a place is rounded before its fraction is taken,
        so that a formula of one's own agrees to four digits only, and may take the next value where it is whole.
        """
        number = torch.arange(given, device=like.device)
        turns = torch.arange(ROUND, device=like.device)[:, None]
        indicators = (number % ROUND == turns).to(like.dtype)[None, :, :, None]  # (1, ROUND, given, 1)
        weights = _resized(indicators, wanted, align_corners)[0, :, :, 0]  # (ROUND, wanted)
        place = torch.arange(wanted, device=like.device, dtype=torch.float64)
        if align_corners:
            position = place * ((given - 1) / max(wanted - 1, 1))
        else:
            position = ((place + 0.5) * (given / wanted) - 0.5).clamp(min=0)
        around = position.long() - 1 + turns  # (ROUND, wanted)
        read = (weights.gather(0, around % ROUND) != 0) & (around >= 0) & (around < given)
        before = around[0] + read.to(torch.uint8).argmax(dim=0)
        after = (before + 1).clamp(max=given - 1)
        near, far = (weights.gather(0, index[None] % ROUND)[0] for index in (before, after))
        return cls(before, after, near, far.where(after > before, 0))


def resize_weights(given: int, wanted: int, align_corners: bool, like: Tensor) -> Tensor:
    """Return the matrix (wanted, given) that resizes a row bilinearly, to the last bit as `F.interpolate` does."""
    unit = torch.eye(given, dtype=like.dtype, device=like.device)[None, :, :, None]  # (1, given, given, 1)
    return _resized(unit, wanted, align_corners)[0, :, :, 0].T.contiguous()


def _resized(columns: Tensor, wanted: int, align_corners: bool) -> Tensor:
    return F.interpolate(columns, (wanted, 1), mode="bilinear", align_corners=align_corners)
