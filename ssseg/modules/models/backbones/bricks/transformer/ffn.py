from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from ..activation import BuildActivation


class FFN(nn.Module):
    """The perceptron of a transformer's block, at each token.

    Paper: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762, section 3.3.

    Args:
        num_fcs: number of linear layers, at least 2.
    """

    def __init__(
        self,
        embed_dims: int,
        hidden_dims: int,
        *,
        num_fcs: int = 2,
        dropout: float = 0.0,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.layers = nn.Sequential()
        for i in range(num_fcs - 1):
            linear = nn.Linear(hidden_dims if i else embed_dims, hidden_dims)
            self.layers.append(nn.Sequential(linear, BuildActivation(act_cfg), nn.Dropout(dropout)))
        self.layers.append(nn.Linear(hidden_dims, embed_dims))
        self.layers.append(nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:  # (..., embed_dims)
        return self.layers(x)
