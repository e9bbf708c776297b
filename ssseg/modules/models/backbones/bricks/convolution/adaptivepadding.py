from itertools import chain
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


class AdaptivePaddingConv2d(nn.Conv2d):
    """A convolution padded with zeros so that n pixels become ceil(n / stride), the odd one at the right and bottom.

    TensorFlow calls this "same" padding; with a stride it differs from the symmetric padding of nn.Conv2d. Takes the
    arguments of nn.Conv2d but for `padding`.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, padding=0, **kwargs)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        sides = [
            self._missing(size, axis) for axis, size in enumerate(x.shape[-2:])
        ]  # F.pad begins with the last axis, hence reversed
        return super().forward(F.pad(x, tuple(chain.from_iterable((n // 2, n - n // 2) for n in reversed(sides)))))

    def _missing(self, size: int, axis: int) -> int:
        reach = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
        steps = -(-size // self.stride[axis])  # rounded up
        return max((steps - 1) * self.stride[axis] + reach - size, 0)
