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
        return self.gamma(attend_crosswise(self.query_conv(x), self.key_conv(x), self.value_conv(x))) + x


def attend_crosswise(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return (N, C, h, w), at each place the mean of the values of its row and column, weighted with one softmax.

    Args:
        query, key: (N, D, h, w).
        value: (N, C, h, w).
    """
    by_row = [x.permute(0, 2, 3, 1).contiguous() for x in (query, key, value)]  # (N, h, w, .)
    by_column = [x.transpose(1, 2).contiguous() for x in by_row]  # (N, w, h, .)
    column = by_column[0] @ by_column[1].mT  # (N, w, h, g): the scores of the places g of a column
    row = by_row[0] @ by_row[1].mT  # (N, h, w, v), of the places v of a row
    # one softmax over both without joining them: a common maximum, two sums; a place itself counts in its row only
    highest = torch.maximum(column.amax(dim=3).transpose(1, 2), row.amax(dim=3)).detach()  # (N, h, w)
    of_row = (row - highest[..., None]).exp()
    of_column = (column - highest.transpose(1, 2)[..., None]).exp()
    itself = torch.eye(column.shape[3], dtype=torch.bool, device=column.device)
    of_column = of_column.masked_fill(itself, 0)
    share = 1 / (of_row.sum(dim=3) + of_column.sum(dim=3).transpose(1, 2))  # (N, h, w)
    horizontal = (of_row * share[..., None]) @ by_row[2]  # (N, h, w, C)
    vertical = (of_column * share.transpose(1, 2)[..., None]) @ by_column[2]  # (N, w, h, C)
    return (horizontal + vertical.transpose(1, 2)).permute(0, 3, 1, 2)
