import torch.nn.functional as F
from torch import Tensor, nn


class DropPath(nn.Module):
    """Sets whole samples to zero while training, and scales the others so that the expected value stays.

    Paper: Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016, arXiv:1603.09382.

    Args:
        drop_prob: in [0, 1].
    """

    def __init__(self, drop_prob: float = 0.1):
        super().__init__()
        self.drop_prob = drop_prob

    def forward(self, x: Tensor) -> Tensor:  # (N, ...)
        if not self.training or self.drop_prob == 0:
            return x
        one_a_sample = x.new_ones(len(x), *[1] * (x.ndim - 1))
        return x * F.dropout(one_a_sample, self.drop_prob)
