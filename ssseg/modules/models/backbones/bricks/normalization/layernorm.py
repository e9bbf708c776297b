"""Layer normalization over the channels of a map."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorm2d(nn.LayerNorm):
    """Layer normalization over the channels at each position of (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        y = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return y.permute(0, 3, 1, 2)


class LayerNormConvNeXtV2(LayerNorm2d):
    """Layer normalization over channels that stand last, (N, H, W, C), or first, (N, C, H, W).

    Paper: Woo et al., "ConvNeXt V2", CVPR 2023, arXiv:2301.00808.
    """

    def __init__(
        self,
        normalized_shape: int,
        eps: float = 1e-6,
        data_format: Literal["channels_first", "channels_last"] = "channels_last",
    ):
        super().__init__(normalized_shape, eps=eps)
        self.data_format = data_format

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if self.data_format == "channels_first" else nn.LayerNorm.forward(self, x)
