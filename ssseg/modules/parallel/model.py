"""Data-parallel training."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ..utils.distributed import is_distributed


def BuildDistributedModel(model: nn.Module, model_cfg: Mapping[str, Any] | None = None) -> nn.Module:  # noqa: N802
    """Wrap `model` so that its gradients are averaged over all processes; one process gets it back as it is.

    Args:
        model: on its device already.
        model_cfg: keyword arguments of `DistributedDataParallel`, `SEGMENTOR_CFG['build_dist_model_cfg']`.
    """
    if not is_distributed() or torch.distributed.get_world_size() == 1:
        return model
    device = next(model.parameters()).device
    options = {"device_ids": [device.index] if device.type == "cuda" else None, **(model_cfg or {})}
    options.pop("type", None)
    return DistributedDataParallel(model, **options)
