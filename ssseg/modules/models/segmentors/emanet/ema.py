import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.distributed import ddpallreducemean


class EMAModule(nn.Module):
    """Rebuilds a map from few bases, which expectation-maximization fits to it; no gradient flows through.

    Paper: Li et al., "Expectation-Maximization Attention Networks", ICCV 2019, arXiv:1907.13426, section 4.

    While training, the initial bases, an entry of the state dict, follow the mean over the images of all processes.

    Args:
        momentum: share of a step's bases in the initial bases, in [0, 1].
    """

    bases: Tensor

    def __init__(self, channels: int, num_bases: int, num_stages: int, momentum: float):
        super().__init__()
        self.num_stages, self.momentum = num_stages, momentum
        bases = torch.randn(1, channels, num_bases) * (2 / num_bases) ** 0.5
        self.register_buffer("bases", F.normalize(bases, dim=1))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        positions = x.flatten(2)  # (N, C, P)
        bases = self.bases.expand(x.shape[0], -1, -1)  # (N, C, K)
        shares = x.new_empty(0)
        for _ in range(self.num_stages):
            shares = (positions.transpose(1, 2) @ bases).softmax(dim=2)  # (N, P, K)
            bases = F.normalize(positions @ F.normalize(shares, p=1, dim=1), dim=1)
        if self.training:
            mean = F.normalize(ddpallreducemean(bases.mean(dim=0, keepdim=True)), dim=1)
            self.bases.lerp_(mean.to(self.bases), self.momentum)
        return (bases @ shares.transpose(1, 2)).view_as(x)
