from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones import BuildActivation, BuildNormalization, conv_norm_act


class Encoding(nn.Module):
    """Residuals between the positions of a map and learned codewords, summed softly for each codeword.

    Paper: Zhang et al., "Context Encoding for Semantic Segmentation", CVPR 2018, arXiv:1803.08904, section 2, eq. 1.
    """

    def __init__(self, channels: int, num_codes: int):
        super().__init__()
        bound = (num_codes * channels) ** -0.5
        self.codewords = nn.Parameter(torch.empty(num_codes, channels).uniform_(-bound, bound))
        self.scale = nn.Parameter(torch.empty(num_codes).uniform_(-1, 0))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        x = x.flatten(2).transpose(1, 2)  # (N, P, C)
        # |x - c|^2 multiplied out: the differences themselves would be K times as large as the map
        distances = (
            x.square().sum(dim=2, keepdim=True) - 2 * x @ self.codewords.T + self.codewords.square().sum(dim=1)
        )  # (N, P, K)
        shares = (self.scale * distances).softmax(dim=2).transpose(1, 2)  # (N, K, P)
        return shares @ x - shares.sum(dim=2, keepdim=True) * self.codewords  # (N, K, C)


class EncodingModule(nn.Module):
    """Weighs the channels of a map by what its encoding tells about the scene.

    Paper: Zhang et al., "Context Encoding for Semantic Segmentation", CVPR 2018, arXiv:1803.08904, section 2.

    Shape:
        (N, C, h, w) to the encoding (N, C), and the weighed map (N, C, h, w).
    """

    def __init__(
        self, channels: int, num_codes: int, *, norm_cfg: Mapping[str, Any] | None, act_cfg: Mapping[str, Any] | None
    ):
        super().__init__()
        self.encoding_project = nn.Sequential(*conv_norm_act(channels, channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg))
        norm_of_codes = norm_cfg and {**norm_cfg, "type": str(norm_cfg["type"]).replace("2d", "1d")}
        self.encoding = nn.Sequential(
            Encoding(channels, num_codes),
            BuildNormalization(placeholder=num_codes, norm_cfg=norm_of_codes),
            BuildActivation(act_cfg),
        )
        self.fc = nn.Sequential(nn.Linear(channels, channels), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        encoding = self.encoding(self.encoding_project(x)).mean(dim=1)  # (N, C)
        gate = self.fc(encoding)[:, :, None, None]
        return encoding, F.relu(x + x * gate)
