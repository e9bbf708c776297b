import torch.nn.functional as F
from torch import Tensor, nn


class AdaptivePaddingConv2d(nn.Conv2d):
    """A convolution padded with zeros so that n pixels become ceil(n / stride), the odd one at the right and bottom.

    TensorFlow calls this "same" padding; with a stride it differs from the symmetric padding of nn.Conv2d, whose other
    arguments this takes.
    """

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        rows, columns = (self._missing(size, axis) for axis, size in enumerate(x.shape[-2:]))
        return super().forward(F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)))

    def _missing(self, size: int, axis: int) -> int:
        reach = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
        steps = -(-size // self.stride[axis])  # rounded up
        return max((steps - 1) * self.stride[axis] + reach - size, 0)
