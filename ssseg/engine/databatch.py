"""Batches of a training loader on their way to the device."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..modules.datasets.pipelines.fused.ondevice import finished_images


def to_device(batch: Mapping[str, Any], device: torch.device, *, channels_last: bool = False) -> dict[str, Tensor]:
    """Return the tensors of a batch on `device`, images (N, 3, H, W) float32 as the documented pipeline gives them.

    Args:
        batch: of `collate_train`. With an entry `deferred`, images are bytes, and the end of the pipeline is done here.
        channels_last: the memory format of the images.
    """
    tensors = {name: value.to(device, non_blocking=True) for name, value in batch.items() if isinstance(value, Tensor)}
    if "deferred" in batch:
        tensors["images"] = finished_images(tensors["images"], batch["deferred"], channels_last=channels_last)
    elif channels_last:
        tensors["images"] = tensors["images"].contiguous(memory_format=torch.channels_last)
    return tensors
