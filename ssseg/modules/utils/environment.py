"""What this machine and this installation are."""

import functools
import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterable

import torch

from .distributed import all_reduce

PACKAGES = "ssseg torch numpy opencv-python-headless pillow safetensors rich albumentations tensorboard timm".split()


class EnvironmentCollector:
    """Collects versions and devices, for a bug report or a checkpoint's header.

    Args:
        filter_env_keys: environment variables to report as well, where they are set.
    """

    def __init__(self, filter_env_keys: Iterable[str] | None = None):
        self.filter_env_keys = tuple(filter_env_keys or ())

    def collectenv(self) -> dict[str, str]:
        """Return name -> value, all as text."""
        facts = {"python": sys.version.split()[0], "platform": platform.platform(), "cpus": str(os.cpu_count())}
        facts |= {name: version for name in PACKAGES if (version := _version(name))}
        facts["torch threads"] = str(torch.get_num_threads())
        facts["cuda"] = f"{torch.version.cuda or 'not built in'}"
        for index in range(torch.cuda.device_count()):
            device = torch.cuda.get_device_properties(index)
            facts[f"gpu {index}"] = f"{device.name}, {device.total_memory / 2**30:.1f} GiB"
        facts |= {key: os.environ[key] for key in self.filter_env_keys if key in os.environ}
        return facts


@functools.cache  # the packages' folders are searched: a few milliseconds each
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def getgpupeakallocgb(device: torch.device | int | str | None = None) -> float:
    """Return the most GPU memory that tensors took so far, in GiB; 0 without a GPU."""
    return torch.cuda.max_memory_allocated(device) / 2**30 if torch.cuda.is_available() else 0.0


def getgpupeakallocgbddp() -> float:
    """Return the largest `getgpupeakallocgb` of all processes."""
    return float(all_reduce(torch.tensor(getgpupeakallocgb()), "max"))
