"""What a config needs before it runs: sizes, multiply-adds, memory, and the largest batch and crop that fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..modules import BuildOptimizer, SSSegInputStructure
from .backbonecfg import without_pretrained
from .batching import plan_batch
from .bench.measuring import memory_growth
from .build import build_segmentor
from .devices import Precision
from .imagechannels import input_channels
from .livememory import LiveMemory
from .modelinfo import ModelInfo, describe

STEP = 32  # pixels by which crops are tried
LARGEST_CROP, LARGEST_BATCH = 2048, 256  # that are tried
SHARE = 0.9  # of the memory that may be planned for; the rest is the allocator's and the library's own


@dataclass(frozen=True)
class Plan:
    """Memory in bytes, in float32 even with `fp16_cfg`; None where it could not be estimated.

    Args:
        info: of one image of the crop's size.
        batch: samples a process computes at once. crop: (height, width).
        training, testing: peak of a step, and of one image in eval mode; weights are in both.
        memory: of the device. largest_batch, largest_crop: that fit; the crop is a square, with the config's batch.
        measured: peak of one real step of two images, where one was made; `estimated` is the estimate for it.
    """

    info: ModelInfo
    batch: int
    crop: tuple[int, int]
    training: int | None
    testing: int | None
    memory: int
    largest_batch: int | None
    largest_crop: int | None
    measured: int | None = None
    estimated: int | None = None


def make_plan(cfg: Mapping[str, Any], device: torch.device, *, memory: int | None = None, measure: bool) -> Plan:
    """Estimate on the meta device what `cfg` needs.

    Args:
        memory: bytes to plan for; None takes what `device` has free.
        measure: make one real training step of two images on `device` as well.

    Raises:
        ConfigError: the cfg does not fit, or the network does not run on its crops.
    """
    cfg = without_pretrained(cfg)
    crop, channels = crop_of(cfg), input_channels(cfg)
    batch = plan_batch(cfg["dataloader"], 1, (cfg.get("runtime") or {}).get("accumulate", 1)).per_process
    memory = memory or free_memory(device)
    budget = int(SHARE * memory)
    info = describe(cfg, (1, channels, *crop))
    training = peak_of_training(cfg, (batch, channels, *crop))
    largest_batch = largest_crop = None
    if training is not None:

        def of_batch(n: int) -> int | None:
            return peak_of_training(cfg, (n, channels, *crop))

        # one image may be too few for a normalization
        largest_batch = _largest(of_batch, 2, LARGEST_BATCH, budget) or _largest(of_batch, 1, 1, budget)
        by_crop = _largest(
            lambda n: peak_of_training(cfg, (batch, channels, n * STEP, n * STEP)), 2, LARGEST_CROP // STEP, budget
        )
        largest_crop = by_crop and by_crop * STEP
    pair = (2, channels, *crop)
    return Plan(
        info=info,
        batch=batch,
        crop=crop,
        training=training,
        testing=peak_of_testing(cfg, (1, channels, *crop)),
        memory=memory,
        largest_batch=largest_batch,
        largest_crop=largest_crop,
        measured=_measured(cfg, pair, device) if measure else None,
        estimated=peak_of_training(cfg, pair) if measure else None,
    )


def peak_of_training(cfg: Mapping[str, Any], shape: Sequence[int]) -> int | None:
    """Return the peak of a training step on images of a shape; None where the network cannot go without values."""
    try:
        with torch.device("meta"), LiveMemory() as memory:
            _step(cfg, shape, torch.device("meta"))
    except (RuntimeError, NotImplementedError, ValueError):  # it looks at values, or the crop is too small for it
        return None
    return memory.peak


def peak_of_testing(cfg: Mapping[str, Any], shape: Sequence[int]) -> int | None:
    """Return the peak of a pass in eval mode."""
    try:
        with torch.device("meta"), LiveMemory() as memory, torch.no_grad():
            segmentor = build_segmentor(cfg, "TEST", torch.device("meta")).eval()
            segmentor(SSSegInputStructure(mode="TEST", images=torch.zeros(*shape)))
    except (RuntimeError, NotImplementedError):
        return None
    return memory.peak


def _step(cfg: Mapping[str, Any], shape: Sequence[int], device: torch.device) -> None:
    """Build the segmentor and make a training step on images of zeros."""
    segmentor = build_segmentor(cfg, "TRAIN", device)
    optimizer = BuildOptimizer(segmentor, dict(cfg["scheduler"]["optimizer"]))
    _update(cfg, segmentor, optimizer, shape, device)


def _update(cfg: Mapping[str, Any], segmentor: Any, optimizer: Any, shape: Sequence[int], device: torch.device) -> None:
    n, _, height, width = shape
    targets: dict[str, Tensor] = {
        name: torch.zeros(n, height, width, dtype=torch.int64, device=device)
        for name in ("seg_targets", "edge_targets")
    }
    sample = SSSegInputStructure(mode="TRAIN", images=torch.zeros(*shape, device=device), **targets)
    extra = {"learning_rate": 0.01, "epoch": 1} if getattr(segmentor, "wants_progress", False) else {}
    if device.type == "meta":
        loss = segmentor(sample, **extra).loss
    else:
        with Precision(cfg.get("fp16_cfg"), device).autocast():
            loss = segmentor(sample, **extra).loss
    loss.backward()
    optimizer.step()


def _measured(cfg: Mapping[str, Any], shape: Sequence[int], device: torch.device) -> int | None:
    segmentor = build_segmentor(cfg, "TRAIN", device)
    optimizer = BuildOptimizer(segmentor, dict(cfg["scheduler"]["optimizer"]))

    def step() -> None:
        optimizer.zero_grad()
        _update(cfg, segmentor, optimizer, shape, device)

    growth = memory_growth(step, device)
    if growth is None:
        return None
    states = [value for state in optimizer.state.values() for value in state.values() if isinstance(value, Tensor)]
    kept = [*segmentor.state_dict().values(), *states]
    return int(1e6 * growth) + sum(value.numel() * value.element_size() for value in kept)


def _largest(peak_of: Any, smallest: int, largest: int, budget: int) -> int | None:
    """Return the largest number whose peak fits, by doubling and then halving the steps; None where none does."""

    def fits(number: int) -> bool:
        peak = peak_of(number)
        return peak is not None and peak <= budget

    if not fits(smallest):
        return None
    good, bad = smallest, largest + 1
    while good * 2 < bad:
        if not fits(good * 2):
            bad = good * 2
            break
        good *= 2
    while bad - good > max(good // 16, 1):
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good


def crop_of(cfg: Mapping[str, Any]) -> tuple[int, int]:
    """Return the (height, width) that the training pipeline ends in; 512 x 512 where it does not say."""
    found = (512, 512)
    for transform in ((cfg.get("dataset") or {}).get("train") or {}).get("data_pipelines") or ():
        name, fields = (transform["type"], transform) if isinstance(transform, Mapping) else transform
        size = fields.get({"RandomCrop": "crop_size", "Padding": "output_size"}.get(name, ""))
        if size is not None:
            found = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    return found


def free_memory(device: torch.device) -> int:
    """Return how many bytes `device` has left."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return 1024 * int(line.split()[1])
    return 8 * 2**30
