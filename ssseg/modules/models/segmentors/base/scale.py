import torch
from torch import Tensor, nn


class Scale(nn.Module):
    """Multiplies by one learnt number, that starts as `initial`."""

    def __init__(self, initial: float = 1.0):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(initial))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale
