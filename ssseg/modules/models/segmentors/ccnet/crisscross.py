import torch
from torch import Tensor, nn

from ..base import Scale


class CrissCrossAttention(nn.Module):
    """Adds to each place of a map a weighted mean over its row and its column.

    Paper: Huang et al., "CCNet: Criss-Cross Attention for Semantic Segmentation", ICCV 2019, arXiv:1811.11721,
    section 3.2.
    """

    def __init__(self, in_channels: int):
        super().__init__()
        hidden = max(in_channels // 8, 1)
        self.query_conv = nn.Conv2d(in_channels, hidden, 1)
        self.key_conv = nn.Conv2d(in_channels, hidden, 1)
        self.value_conv = nn.Conv2d(in_channels, in_channels, 1)
        self.gamma = Scale(0.0)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        query, key, value = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        height, width = x.shape[2:]
        column = torch.einsum("nchw,ncgw->nhwg", query, key)  # g: a row of the same column
        row = torch.einsum("nchw,nchv->nhwv", query, key)  # v: a column of the same row
        itself = torch.eye(height, dtype=torch.bool, device=x.device)[:, None]  # (h, 1, g): it is in the row already
        scores = torch.cat([column.masked_fill(itself, float("-inf")), row], dim=3)
        of_column, of_row = scores.softmax(dim=3).split([height, width], dim=3)
        mean = torch.einsum("nhwg,ncgw->nchw", of_column, value) + torch.einsum("nhwv,nchv->nchw", of_row, value)
        return self.gamma(mean) + x
