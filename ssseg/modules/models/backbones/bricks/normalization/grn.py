from typing import Literal

import torch
from torch import Tensor, nn


class GRN(nn.Module):
    """Global response normalization: weighs a channel by its norm over the map, relative to the other channels.

    Paper: Woo et al., "ConvNeXt V2", CVPR 2023, arXiv:2301.00808, section 3 and algorithm 1.

    Args:
        eps: added to the mean norm.
        data_format: where the channels stand, (N, C, H, W) or (N, H, W, C).
    """

    def __init__(
        self,
        in_channels: int,
        eps: float = 1e-6,
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
    ):
        super().__init__()
        self.eps, self.data_format = eps, data_format
        self.gamma = nn.Parameter(torch.zeros(in_channels))
        self.beta = nn.Parameter(torch.zeros(in_channels))

    def forward(self, x: Tensor) -> Tensor:
        if self.data_format == "channels_first":
            return self.normalize(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return self.normalize(x)

    def normalize(self, x: Tensor) -> Tensor:  # (N, H, W, C)
        norm = x.norm(dim=(1, 2), keepdim=True)  # (N, 1, 1, C)
        share = norm / (norm.mean(dim=-1, keepdim=True) + self.eps)
        return self.gamma * (x * share) + self.beta + x
