"""Everything that a training run needs to go on: what a checkpoint holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from ..modules.utils.checkpoint import load_optimizer, load_state
from ..modules.utils.configsource import plain
from ..modules.utils.environment import EnvironmentCollector
from ..modules.utils.errors import CheckpointError

FORMAT = 1


@dataclass
class TrainState:
    """Model, optimizer, schedule, average, scaler and position of a run.

    The order of the data and all random draws are functions of the seed and the position, so that no generator's
    state is kept.

    Args:
        segmentor: the bare model, not its parallel or compiled wrapper.
        scheduler: holds the optimizer.
        ema: EMASegmentor or None. scaler: GradScaler or None.
        iters_per_epoch: iterations of a pass.
        iteration: iterations done, from the start of the run.
        skipped: updates in a row that the scaler left out.
        best: metric, weights, epoch of the best evaluation so far.
    """

    segmentor: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: Any
    ema: Any
    scaler: torch.amp.GradScaler | None
    iters_per_epoch: int
    seed: int = 0
    iteration: int = 0
    skipped: int = 0
    best: dict[str, Any] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """Passes done."""
        return self.iteration // self.iters_per_epoch

    def state_dict(self) -> dict[str, Any]:
        """Return the documented entries and ours; tensors and plain values only."""
        entries = {
            "cur_epoch": self.epoch,
            "cur_iter": self.scheduler.cur_iter,
            "model": self.segmentor.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        if self.ema is not None:
            entries["model_ema"] = self.ema.state()
        if self.scaler is not None:
            entries["grad_scaler"] = self.scaler.state_dict()
        entries["ssseg"] = {
            "format": FORMAT,
            "rng": {"seed": self.seed},
            "position": {"iteration": self.iteration, "iters_per_epoch": self.iters_per_epoch},
            "metrics": {"best": self.best},
            "versions": EnvironmentCollector().collectenv(),
        }
        return entries

    def load_state_dict(self, checkpoint: Mapping[str, Any], source: str) -> None:
        """Go on from `checkpoint`, one of ours or one of SSSegmentation's.

        Args:
            source: the file's name, for messages.

        Raises:
            CheckpointError: it was written by a newer version, an entry is missing, or one does not fit.
        """
        ours = checkpoint.get("ssseg") or {}
        if ours.get("format", FORMAT) > FORMAT:
            raise CheckpointError(
                f"{source}: written in format {ours['format']} by ssseg {ours.get('versions', {}).get('ssseg', '?')}; "
                f"this version reads up to format {FORMAT}. Update ssseg."
            )
        missing = [name for name in ("model", "optimizer", "cur_epoch", "cur_iter") if name not in checkpoint]
        if missing:
            raise CheckpointError(
                f"{source}: a run cannot go on from it without {', '.join(missing)}; it holds {', '.join(checkpoint)}."
            )
        load_state(self.segmentor, checkpoint["model"], source=f"{source}['model']")
        load_optimizer(self.optimizer, checkpoint["optimizer"], source=f"{source}['optimizer']")
        if self.ema is not None:
            self.ema.setstate(checkpoint.get("model_ema") or checkpoint["model"])
        if self.scaler is not None and checkpoint.get("grad_scaler"):
            self.scaler.load_state_dict(checkpoint["grad_scaler"])
        position = ours.get("position") or {"iteration": checkpoint["cur_epoch"] * self.iters_per_epoch}
        if position.get("iters_per_epoch", self.iters_per_epoch) != self.iters_per_epoch:
            raise CheckpointError(
                f"{source}: its run had {position['iters_per_epoch']} iterations an epoch, this one has "
                f"{self.iters_per_epoch}. To go on, keep the data set and the total batch as they were."
            )
        self.iteration = position["iteration"]
        self.best = dict((ours.get("metrics") or {}).get("best") or {})
        self.scheduler.setstate({"cur_epoch": checkpoint["cur_epoch"], "cur_iter": checkpoint["cur_iter"]})


def plain_dict(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config as a checkpoint holds it: plain values in dicts, lists and tuples."""
    entries: dict[str, Any] = _without_classes(plain(cfg))
    return entries


def _without_classes(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_classes(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without_classes(entry) for entry in value)
    return value
