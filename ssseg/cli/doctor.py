"""`ssseg doctor`: what this installation is and whether it can train."""

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Register the command."""
    commands.add_parser("doctor", help="describe the installation, for a bug report", description=__doc__)


def run(_options: argparse.Namespace) -> int:
    """Print versions and devices, and try a training step on each device."""
    import torch

    from ..modules.utils.environment import EnvironmentCollector

    for name, value in EnvironmentCollector(["CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"]).collectenv().items():
        print(f"{name:24} {value}")
    for device in ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]:
        layer = torch.nn.Conv2d(3, 8, 3, padding=1).to(device)
        layer(torch.ones(1, 3, 32, 32, device=device)).mean().backward()
        works = bool(torch.isfinite(layer.weight.grad).all())  # type: ignore[arg-type]
        print(f"{'convolution on ' + device:24} {'works' if works else 'gives numbers that are not finite'}")
    return 0
