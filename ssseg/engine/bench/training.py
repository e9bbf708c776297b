"""The training step and its loss."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...modules import BuildOptimizer, SSSegInputStructure
from ...modules.datasets.fusing import fuse_pipelines
from ...modules.parallel.dataloader import collate_train
from ...modules.utils.errors import ConfigError
from ...modules.utils.seeds import seed_generators
from ..backbonecfg import without_pretrained
from ..batching import plan_batch
from ..build import build_dataset, build_segmentor
from ..databatch import to_device
from ..devices import Precision
from ..options import RuntimeOptions
from .advice import verdict
from .measuring import Report, Stopwatch, compare


class Trained:
    """A segmentor with random weights on a batch of training samples."""

    def __init__(self, cfg: Any, device: torch.device):
        self.cfg, self.device, self.options = cfg, device, RuntimeOptions.of(cfg)
        self.dataset = build_dataset(cfg, "TRAIN")
        fuse_pipelines(self.dataset, device_transforms=self.options.device_transforms)
        self.number = plan_batch(cfg["dataloader"], 1, self.options.accumulate).per_process
        self.segmentor = build_segmentor(without_pretrained(cfg), "TRAIN", device)
        self.precision = Precision(cfg.get("fp16_cfg"), device)

    def read(self) -> dict[str, Any]:
        """Return a batch on the CPU."""
        seed_generators(0, 1, 0)
        return collate_train([self.dataset[i % len(self.dataset)] for i in range(self.number)])

    def transfer(self, batch: Mapping[str, Any]) -> SSSegInputStructure:
        """Return it on the device."""
        tensors = to_device(batch, self.device, channels_last=self.options.channels_last)
        return SSSegInputStructure(mode="TRAIN", **tensors)

    def arguments_of_loss(self, sample: SSSegInputStructure) -> dict[str, Any]:
        """Return what the segmentor hands to its losses, detached from the network."""
        seen: dict[str, Any] = {}
        original = self.segmentor.customizepredsandlosses

        def spy(**arguments: Any) -> Any:
            seen.update(arguments)
            return original(**arguments)

        self.segmentor.customizepredsandlosses = spy
        with self.precision.autocast():
            self.forward(sample)
        del self.segmentor.customizepredsandlosses
        if not seen:
            raise ConfigError(
                f"SEGMENTOR_CFG['type']: {self.cfg['type']} has losses of its own; try `ssseg bench train`"
            )
        return {name: _detached(value) for name, value in seen.items()}

    def forward(self, sample: SSSegInputStructure) -> Any:
        """Return the segmentor's output."""
        wants = getattr(self.segmentor, "wants_progress", False)
        return self.segmentor(sample, **({"learning_rate": 0.01, "epoch": 1} if wants else {}))

    def __str__(self) -> str:
        return f"{self.cfg['type']}, batch of {self.number} on {self.device}"


def _detached(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().requires_grad_(value.is_floating_point())
    if isinstance(value, Mapping):
        return {name: _detached(part) for name, part in value.items()} if _holds_tensors(value.values()) else value
    if isinstance(value, list | tuple):
        return [_detached(part) for part in value] if _holds_tensors(value) else value
    return value


def _holds_tensors(values: Any) -> bool:
    return any(isinstance(value, Tensor) for value in values)


def bench_loss(cfg: Any, device: torch.device, rounds: int) -> Report:
    """Measure the losses, auxiliary heads and all, forward and backward."""
    trained = Trained(cfg, device)
    sample = trained.transfer(trained.read())
    arguments = trained.arguments_of_loss(sample)

    def way(in_pieces: bool) -> Any:
        def one() -> None:
            trained.segmentor.resizes_in_losses = in_pieces
            with trained.precision.autocast():
                loss, _ = trained.segmentor.customizepredsandlosses(**arguments)
            loss.backward()

        return one

    ways = compare({"resized before": way(False), "as in training": way(True)}, device, rounds)
    return Report(f"losses of {trained}", ways)


def bench_train(cfg: Any, device: torch.device, rounds: int) -> Report:
    """Measure training steps on batches read in this process."""
    trained = Trained(cfg, device)
    optimizer = BuildOptimizer(trained.segmentor, dict(cfg["scheduler"]["optimizer"]))
    watch = Stopwatch(device)
    original = trained.segmentor.customizepredsandlosses

    def timed_losses(**arguments: Any) -> Any:
        with watch.lap("loss"):
            return original(**arguments)

    def step(sample: SSSegInputStructure) -> None:
        optimizer.zero_grad()
        with trained.precision.autocast():
            loss = trained.forward(sample).loss
        loss.backward()
        optimizer.step()

    sample = trained.transfer(trained.read())

    def way(in_pieces: bool) -> Any:
        def one() -> None:
            trained.segmentor.resizes_in_losses = in_pieces
            step(sample)

        return one

    ways = compare({"losses of resized predictions": way(False), "as in training": way(True)}, device, rounds)
    trained.segmentor.customizepredsandlosses = timed_losses
    for _ in range(rounds):
        with watch.lap("data"):
            batch = trained.read()
        with watch.lap("transfer"):
            sample = trained.transfer(batch)
        optimizer.zero_grad()
        with watch.lap("forward"), trained.precision.autocast():
            loss = trained.forward(sample).loss
        with watch.lap("backward"):
            loss.backward()
        with watch.lap("optimizer"):
            optimizer.step()
    del trained.segmentor.customizepredsandlosses
    if "loss" in watch.laps:  # a part of the forward pass
        watch.laps["forward"] = [a - b for a, b in zip(watch.laps["forward"], watch.laps["loss"], strict=True)]
    return Report(f"a training step of {trained}", ways, watch.rows(), *verdict(watch.rows(), cfg, device))
