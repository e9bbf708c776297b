"""What a training run tells while it goes: the documented log lines, `metrics.jsonl`, the numbers beside the bar."""

from collections.abc import Mapping
from typing import Any

from ..modules.parallel.order import TrainOrder
from ..modules.utils.configdiff import MISSING, config_differences
from ..modules.utils.configsource import on_one_line
from ..modules.utils.environment import getgpupeakallocgb
from ..modules.utils.logger import TrainingLoggingManager, TrainTimer
from .progress import Meter
from .runlog import RunLog
from .state import TrainState

_CHANGES = 20  # lines; another config altogether would fill the log


class Reporter:
    """Reports each iteration.

    Args:
        cfg: `SEGMENTOR_CFG`. order: says how long the run is. log: the machine-readable one.
        logger: the logger handle of the text log.
        precision: the kind of mixed precision, or None.
    """

    def __init__(self, cfg: Mapping[str, Any], order: TrainOrder, log: RunLog, logger: Any, precision: str | None):
        self.order, self.log = order, log
        self.lines = TrainingLoggingManager(**(cfg.get("training_logging_manager_cfg") or {}), logger_handle=logger)
        self.timer = TrainTimer()
        self.numbers = ""
        self.constants = {
            "segmentor": cfg["type"],
            "backbone": cfg["backbone"].get("structure_type"),
            "dataset": cfg["dataset"]["type"],
            "ema": (cfg.get("ema_cfg") or {}).get("momentum") is not None,
            "fp16": precision is not None,
        }

    def iteration(self, state: TrainState, losses: Mapping[str, Any], meter: Meter) -> None:
        """Report the iteration that `state` has just done."""
        self.timer.tick()
        facts = self._facts(state)
        self.lines.update(facts, losses)
        if (line := self.lines.autolog()) is not None:
            means = {name: line[name] for name in losses}
            values = {"lr": facts["learning_rate"], "iter_time_s": facts["iter_time_ema_s"], **means}
            self.log.write("train", facts["cur_epoch"], state.iteration, **values)
            self.numbers = ", " + ", ".join(f"{name} {value:.4f}" for name, value in means.items())
        title = f"train epoch {facts['cur_epoch']}/{self.order.max_epochs}"
        meter.advance(f"lr {facts['learning_rate']:.2e}{self.numbers}", title)

    def _facts(self, state: TrainState) -> dict[str, Any]:
        order, timer = self.order, self.timer
        epoch, before = divmod(state.iteration - 1, order.iters_per_epoch)
        return {
            "cur_epoch": epoch + 1,
            "max_epochs": order.max_epochs,
            "cur_iter": state.iteration,
            "max_iters": order.max_iters,
            "cur_iter_in_cur_epoch": before + 1,
            "max_iters_in_cur_epoch": order.iters_per_epoch,
            **self.constants,
            "learning_rate": state.learning_rate,
            "max_gpu_alloc_GB": round(getgpupeakallocgb(), 2),
            "time_elapsed": _clock(timer.elapsed),
            "eta": _clock((order.max_iters - state.iteration) * timer.smoothed),
            "iter_time_s": round(timer.average, 4),
            "iter_time_ema_s": round(timer.smoothed, 4),
            "eta_epoch": _clock((order.iters_per_epoch - before - 1) * timer.smoothed),
        }


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[str]:
    """Return a line for each entry in which a run's config differs from that of its checkpoint, None for none there."""

    def shown(value: Any) -> str:
        return "nothing" if value is MISSING else on_one_line(value)

    found = config_differences(before, after) if before else []
    lines = [f"  {entry.path}: {shown(entry.before)} -> {shown(entry.after)}" for entry in found]
    return lines[:_CHANGES] + [f"  ... {len(lines)} in all"] * (len(lines) > _CHANGES)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
