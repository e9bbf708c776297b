import torch
from torch import Tensor, nn


def randomized(network: nn.Module) -> nn.Module:
    """Return `network` in eval mode, every parameter random: those that start at zero or one would hide mistakes."""
    for name, p in network.named_parameters():
        scale = p.ndim == 1 and name.endswith("weight")
        nn.init.normal_(p, mean=1.0 if scale else 0.0, std=0.2)
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            nn.init.normal_(buffer)
        elif name.endswith("running_var"):
            nn.init.uniform_(buffer, 0.5, 2.0)
    return network.eval()


def assert_agree(made: Tensor, expected: Tensor, share: float = 1e-5) -> None:
    """Assert that the largest difference is at most a `share` of the largest value."""
    torch.testing.assert_close(made, expected, rtol=0, atol=share * expected.abs().max().item())
