"""What to do about the stage that takes longest."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .measuring import Row

_BFLOAT16 = "fp16_cfg=\"{'type': 'pytorch', 'autocast': {'dtype': 'bfloat16'}}\""


def verdict(stages: Sequence[Row], cfg: Mapping[str, Any], device: torch.device) -> tuple[str, str]:
    """Return the name and share of the longest stage, and the switch that would help."""
    longest, total = max(stages, key=lambda row: row.ms), sum(row.ms for row in stages)
    return f"{longest.name}, {longest.ms / max(total, 1e-9):.0%} of the time", _advice(longest.name, cfg, device)


def _advice(stage: str, cfg: Mapping[str, Any], device: torch.device) -> str:
    runtime, dataset = cfg.get("runtime") or {}, cfg.get("dataset") or {}
    workers = cfg["dataloader"]["train"].get("num_workers_per_gpu", 0)
    network = "a smaller backbone or crop"
    if not cfg.get("fp16_cfg"):
        network = f"{_BFLOAT16}, where the processor has instructions for it"
    elif not runtime.get("channels_last"):
        network = "runtime.channels_last=True"
    elif device.type == "cuda" and not runtime.get("compile"):
        network = "runtime.compile=True"
    reading = f"dataloader.train.num_workers_per_gpu={max(2 * workers, 2)}"
    by_stage = {
        "decode": reading if dataset.get("raw_cache") else f"`ssseg data cache` and dataset.raw_cache, or {reading}",
        "augment": reading if runtime.get("device_transforms") else f"runtime.device_transforms=True, or {reading}",
        "data": f"{reading}; `ssseg bench data` says more",
        "transfer": "dataloader.train.pin_memory=True",
        "forward": network,
        "backward": network,
        "loss": "losses of cross entropy alone, which resize piece by piece, or runtime.loss_grid=logits",
        "optimizer": "AdamW or SGD, whose update is one kernel, in scheduler.optimizer.type",
        "label map": "nothing here: most pixels are decided without resizing their scores already",
        "confusion matrix": "nothing here: label maps are counted by runs already",
    }
    return by_stage.get(stage, "")
