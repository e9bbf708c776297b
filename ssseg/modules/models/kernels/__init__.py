"""Kernels in Triton for GPUs. Each has a way in plain PyTorch beside it that gives the same, and is never required."""

from .choice import available, run_fastest

__all__ = ["available", "run_fastest"]
