import torch.nn.functional as F
from torch import Tensor


def resize_like(x: Tensor, other: Tensor, align_corners: bool = False) -> Tensor:
    """Interpolate (N, C, h, w) bilinearly to the size of `other` (N, ..., H, W); of that size, it is returned as it is.

    Args:
        align_corners: the centres of the corner pixels stay in place, else the outer edges do.
    """
    size = other.shape[-2:]
    return x if x.shape[-2:] == size else F.interpolate(x, size, mode="bilinear", align_corners=align_corners)
