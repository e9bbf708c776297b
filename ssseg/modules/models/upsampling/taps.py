"""Which two values of a row bilinear resizing reads, and how much of each it takes."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Taps(NamedTuple):
    """Each place of the result is `near * x[before] + far * x[after]`, all (length of the result,)."""

    before: Tensor
    after: Tensor
    near: Tensor
    far: Tensor

    @classmethod
    def of(cls, given: int, wanted: int, align_corners: bool, like: Tensor) -> "Taps":
        """Return the taps from `given` to `wanted` values, on the device and of the dtype of `like`."""
        weights = resize_weights(given, wanted, align_corners, like)
        before = (weights != 0).to(torch.uint8).argmax(dim=1)
        after = (before + 1).clamp(max=given - 1)
        near, far = (weights.gather(1, index[:, None])[:, 0] for index in (before, after))
        return cls(before, after, near, far.where(after > before, 0))


def resize_weights(given: int, wanted: int, align_corners: bool, like: Tensor) -> Tensor:
    """Return the matrix (wanted, given) that resizes a row bilinearly, to the last bit as `F.interpolate` does.

    Its entries come from `F.interpolate` itself: the position of a place is rounded before its fraction is taken, so
    that a formula of one's own agrees to four digits only.
    """
    unit = torch.eye(given, dtype=like.dtype, device=like.device)[None, :, :, None]  # (1, given, given, 1)
    resized = F.interpolate(unit, (wanted, 1), mode="bilinear", align_corners=align_corners)
    return resized[0, :, :, 0].T.contiguous()
