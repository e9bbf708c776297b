"""Everything that a training run needs to go on: what a checkpoint holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from ..modules.utils.checkpoint import load_optimizer, load_state
from ..modules.utils.configsource import plain
from ..modules.utils.environment import EnvironmentCollector
from ..modules.utils.errors import CheckpointError, SSSegError
from .finiteness import Verdict

FORMAT = 1
KNOWN = ("cur_epoch", "cur_iter", "model", "optimizer", "model_ema", "grad_scaler", "ssseg")


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
        sizes: of what the iterations are made: samples of a pass, total batch.
        iteration: iterations done, from the start of the run.
        learning_rate: of the last iteration, before the multipliers of parameter groups.
        skipped: updates in a row that the scaler left out.
        best: metric, weights, epoch of the best evaluation so far.
        others: entries of the checkpoint gone on from that are not ours; they are saved again as they were.
        lags: let each step tell of the one before whether its numbers were finite, see `finiteness`.
        verdict: on the step before, not settled yet.
    """

    segmentor: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: Any
    ema: Any
    scaler: torch.amp.GradScaler | None
    iters_per_epoch: int
    seed: int = 0
    iteration: int = 0
    learning_rate: float = 0.0
    skipped: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    best: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    lags: bool = False
    verdict: Verdict | None = None

    @property
    def epoch(self) -> int:
        """Passes done."""
        return self.iteration // self.iters_per_epoch

    def settle(self) -> None:
        """Raise a DivergedError where the last step was not taken because a number was not finite."""
        verdict, self.verdict = self.verdict, None
        if verdict is not None:
            verdict.settle()

    def state_dict(self) -> dict[str, Any]:
        """Return the documented entries and ours; tensors and plain values only.

        Raises:
            DivergedError: see `settle`.
        """
        self.settle()
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
            "position": {"iteration": self.iteration, "iters_per_epoch": self.iters_per_epoch, **self.sizes},
            "metrics": {"best": self.best},
            "versions": EnvironmentCollector().collectenv(),
        }
        return {**self.others, **entries}

    def load_state_dict(self, checkpoint: Mapping[str, Any], source: str) -> str:
        """Go on from `checkpoint`, one of ours or one of SSSegmentation's.

        Args:
            source: the file's name, for messages.

        Returns:
            What was taken from it and what was not, as a sentence.

        Raises:
            CheckpointError: it was written by a newer version, an entry is missing, or one does not fit.
        """
        try:
            return self._load(checkpoint, source)
        except SSSegError:
            raise
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f"{source}: has an entry that is not what it should be: {error!r}") from error

    def _load(self, checkpoint: Mapping[str, Any], source: str) -> str:
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
        position = ours.get("position") or {"iteration": checkpoint["cur_epoch"] * self.iters_per_epoch}
        for name, value in {**position, **{name: checkpoint[name] for name in ("cur_epoch", "cur_iter")}}.items():
            if type(value) is not int or value < 0:
                raise CheckpointError(f"{source}: its {name} is {value!r}, which is no count")
        self._require_same_sizes(position, source)
        load_state(self.segmentor, checkpoint["model"], source=f"{source}['model']")
        load_optimizer(self.optimizer, checkpoint["optimizer"], source=f"{source}['optimizer']")
        taken, left = ["model", "optimizer", "schedule"], []
        for name, part in (("model_ema", self.ema), ("grad_scaler", self.scaler)):
            if part is not None and checkpoint.get(name):
                if name == "model_ema":
                    load_state(self.ema.segmentor_ema, checkpoint[name], source=f"{source}[{name!r}]")
                else:
                    part.load_state_dict(checkpoint[name])
                taken.append(name)
            elif checkpoint.get(name):
                left.append(f"{name} is left out, as the config has none")
        if self.ema is not None and "model_ema" not in taken:
            self.ema.setstate(self.segmentor.state_dict())
            left.append("the average starts from the model, as there is no model_ema")
        self.iteration = position["iteration"]
        self.best = dict((ours.get("metrics") or {}).get("best") or {})
        self.scheduler.setstate({"cur_epoch": checkpoint["cur_epoch"], "cur_iter": checkpoint["cur_iter"]})
        self.others = {name: value for name, value in checkpoint.items() if name not in KNOWN}
        if self.others:
            left.append(f"kept as they are: {', '.join(map(str, self.others))}")
        return "; ".join([f"taken: {', '.join(taken)}", *left])

    def _require_same_sizes(self, position: Mapping[str, Any], source: str) -> None:
        """Raise where the run of the checkpoint had other samples or another batch, and so another order."""
        here = {**self.sizes, "iters_per_epoch": self.iters_per_epoch}
        titles = {"samples": "samples", "total_batch": "samples in a batch", "iters_per_epoch": "iterations an epoch"}
        for name, value in here.items():
            if position.get(name, value) != value:
                raise CheckpointError(
                    f"{source}: its run had {position[name]} {titles[name]}, this one has {value}. To go on, keep the "
                    "data set and the total batch as they were."
                )


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
