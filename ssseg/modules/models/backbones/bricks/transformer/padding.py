import torch.nn.functional as F
from torch import Tensor


def pad_to_fit(x: Tensor, kernel_size: int, stride: int) -> Tensor:
    """Pad (N, C, H, W) with zeros at the right and bottom, so that ceil(H / stride) x ceil(W / stride) windows fit."""
    rows, columns = (max((-(-size // stride) - 1) * stride + kernel_size - size, 0) for size in x.shape[2:])
    return F.pad(x, (0, columns, 0, rows)) if rows or columns else x
