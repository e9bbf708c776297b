from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from ..activation import BuildActivation


class MLP(nn.Module):
    """Linear layers with an activation between any two of them, at each token.

    Args:
        num_layers: number of linear layers, at least 1; all but the last are `hidden_channels` wide.
        sigmoid_output: bring the result to 0 .. 1.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int,
        *,
        act_cfg: Mapping[str, Any] | None = {"type": "ReLU"},
        sigmoid_output: bool = False,
    ):
        super().__init__()
        widths = [in_channels, *[hidden_channels] * (num_layers - 1), out_channels]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.act = BuildActivation(act_cfg)
        self.sigmoid_output = sigmoid_output

    def forward(self, x: Tensor) -> Tensor:  # (..., in_channels)
        for layer in self.layers[:-1]:
            x = self.act(layer(x))
        x = self.layers[-1](x)
        return x.sigmoid() if self.sigmoid_output else x  # (..., out_channels)
