"""Batch normalization over the images of all processes, or of one."""

import torch.distributed as dist
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm2d):
    """Batch normalization of (N, C) or (N, C, ...), as nn.SyncBatchNorm takes it; the same state dict."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ValueError(f"batch normalization needs (N, C, ...), not a tensor of {input.ndim} dimension(s)")


def SyncBatchNorm(  # noqa: N802  (the name that configs use)
    num_features: int,
    eps: float = 1e-5,
    momentum: float | None = 0.1,
    affine: bool = True,
    track_running_stats: bool = True,
) -> nn.Module:
    """Return nn.SyncBatchNorm where several processes with GPUs work together at this moment, else `BatchNorm`."""
    together = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
    on_gpus = together and dist.get_backend() != "gloo"  # gloo is what processes without GPUs use
    return (nn.SyncBatchNorm if on_gpus else BatchNorm)(num_features, eps, momentum, affine, track_running_stats)
