"""Evaluations in the course of a training run, and the best of them."""

import math
from collections.abc import Mapping
from typing import Any

import torch

from ..modules.datasets.pipelines import format_metrics, metrics_table
from ..modules.utils.errors import ConfigError
from .devices import Precision
from .evaluator import confusion_matrix, label_dataset, metrics_of
from .memory import memory_errors
from .options import RuntimeOptions
from .runlog import RunLog
from .signals import StopSignals
from .state import TrainState
from .watch import Watch


class Validation:
    """Evaluates a run's weights on its test set.

    Args:
        cfg: `SEGMENTOR_CFG`. dataset: of mode TEST.
        device, precision: of the run.
        log, logger: take the metrics.
        stop: cuts an evaluation short. group: is told of each image.
    """

    def __init__(
        self,
        cfg: Mapping[str, Any],
        dataset: Any,
        device: torch.device,
        precision: Precision,
        log: RunLog,
        logger: Any,
        stop: StopSignals,
        group: Watch,
    ):
        self.cfg, self.dataset, self.device, self.precision = cfg, dataset, device, precision
        self.log, self.logger, self.stop, self.group = log, logger, stop, group

    def improves(self, state: TrainState) -> bool:
        """Evaluate the weights, and their average where there is one; keep and return whether one is the best so far.

        Where the run was asked to stop, `state.best` stays as it was: the run that goes on evaluates again. Without
        labels, as `eval_env` "server" has it, nothing is evaluated.
        """
        if not self.dataset.reads_labels:
            where = "SEGMENTOR_CFG['dataset']['eval_env']"
            self.logger.warning(f"{where} is 'server': there are no labels to compare with; nothing is evaluated")
            return False
        before = state.best
        improved = self._evaluate(state, "model", state.segmentor)
        if state.ema is not None:
            improved |= self._evaluate(state, "ema", state.ema.segmentor_ema)
        if self.stop.requested():
            state.best = before
            return False
        return improved

    def _evaluate(self, state: TrainState, weights: str, segmentor: Any) -> bool:
        """Evaluate one set of weights; return whether it is the best so far."""
        dataset, home = self.dataset, next(segmentor.parameters()).device
        title = f"evaluate {weights}, epoch {state.epoch}"
        labelled = label_dataset(
            segmentor.to(self.device),
            dataset,
            self.cfg,
            device=self.device,
            autocast=self.precision.autocast,
            title=title,
        )
        labelled = self.stop.until(self.group.each(title, state.iteration, labelled))
        with memory_errors(self.cfg, self.device, f"evaluating {self.cfg['inference']['forward']['mode']} images"):
            matrix = confusion_matrix(labelled, dataset.num_classes, dataset.ignore_index)
        segmentor.to(home)
        if self.stop.requested():
            return False
        metrics = metrics_of(matrix, self.cfg)
        shown = format_metrics(metrics, self.cfg["inference"]["evaluate"]["metric_list"], dataset.classnames)
        self.log.write("eval", state.epoch, state.iteration, weights=weights, **shown)
        self.logger.info(f"{title}\n{metrics_table(metrics, dataset.classnames)}")
        name = RuntimeOptions.of(self.cfg).best_metric
        if name not in metrics:
            where = "SEGMENTOR_CFG['runtime']['best_metric']"
            raise ConfigError(f"{where}: no metric is called {name!r}; there are {', '.join(metrics)}")
        value = float(metrics[name])
        if math.isnan(value) or value <= state.best.get("value", -math.inf):  # nan: no class was there
            return False
        state.best = {"metric": name, "value": value, "weights": weights, "epoch": state.epoch}
        return True
