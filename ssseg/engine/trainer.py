"""A training run, from its config to its last checkpoint."""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from ..modules import (
    BuildDistributedModel,
    BuildLoggerHandle,
    BuildOptimizer,
    BuildScheduler,
    EMASegmentor,
    SSSegInputStructure,
    loadckpts,
    saveckpts,
    setrandomseed,
)
from ..modules.datasets.pipelines import format_metrics, metrics_table
from ..modules.datasets.seeding import SeededDataset
from ..modules.parallel.dataloader import train_loader
from ..modules.parallel.order import TrainOrder
from ..modules.utils.checkpoint import keep_last
from ..modules.utils.configparser import resolved_source
from ..modules.utils.distributed import barrier, ismainprocess, rank, world_size
from ..modules.utils.errors import ConfigError, DataError, StopRequested
from ..modules.utils.files import sweep_stale, touchdirs
from .batching import plan_batch
from .build import build_dataset, build_segmentor
from .classweights import resolve_class_weights
from .configcheck import require_valid
from .devices import Precision, choose_device, describe_device, set_up_backends
from .evaluator import confusion_matrix, label_dataset, metrics_of
from .lock import work_dir_lock
from .options import RuntimeOptions
from .processes import local_rank, process_group
from .progress import progress
from .reporting import Reporter
from .runlog import RunLog
from .signals import StopSignals
from .state import TrainState, plain_dict
from .step import train_step


def train(cfg: Any, *, device: str = "auto", ckptspath: str = "") -> dict[str, Any]:
    """Train what `cfg` describes, or go on with it.

    Args:
        cfg: a `SEGMENTOR_CFG`.
        device: "auto", "cpu" or "cuda".
        ckptspath: a checkpoint to go on from; empty starts anew.

    Returns:
        The best evaluation: metric, value, weights, epoch; empty where none was made.

    Raises:
        StopRequested: a signal asked to stop; the run is saved and resumable.
        SSSegError: anything else that a user can cause.
    """
    warnings = require_valid(cfg)
    options = RuntimeOptions.of(cfg)
    chosen = choose_device(device, local_rank())
    with ExitStack() as stack:
        stack.enter_context(process_group(chosen, options.process_timeout, cfg.get("init_process_group_cfg")))
        work_dir = Path(cfg["work_dir"])
        touchdirs(work_dir)
        stack.enter_context(work_dir_lock(work_dir))
        cfg = resolve_class_weights(cfg, work_dir)
        logger = BuildLoggerHandle(cfg["logger_handle_cfg"])
        stack.callback(logger.close)
        log = RunLog(work_dir, tensorboard=options.tensorboard, enabled=ismainprocess())
        stack.callback(log.close)
        for problem in warnings:
            logger.warning(f"{problem.place}: {problem.message}")
        trainer = Trainer(cfg, options, chosen, work_dir, logger, log)
        if ckptspath:
            trainer.resume(ckptspath)
        trainer.run()
        return trainer.state.best


class Trainer:
    """Holds the parts of one run; `run` takes it from its position to its end."""

    def __init__(
        self, cfg: Any, options: RuntimeOptions, device: torch.device, work_dir: Path, logger: Any, log: RunLog
    ):
        self.cfg, self.options, self.device, self.work_dir = cfg, options, device, work_dir
        self.logger, self.log = logger, log
        set_up_backends(cfg, options)
        setrandomseed(options.seed)  # the initial weights
        if ismainprocess():
            sweep_stale(work_dir)
            touchdirs(work_dir / "configs")
            Path(work_dir, "configs", f"{work_dir.name}.py").write_text(resolved_source(cfg), encoding="utf-8")
        logger.info(describe_device(device))
        self.precision = Precision(cfg.get("fp16_cfg"), device)
        self._build_data()
        self._build_state()
        self.reporter = Reporter(cfg, self.order, log, logger, self.precision.kind)

    def _build_data(self) -> None:
        cfg = self.cfg
        self.train_set = build_dataset(cfg, "TRAIN", self.logger)
        self.test_set = build_dataset(cfg, "TEST", self.logger)
        self.batch = plan_batch(cfg["dataloader"], world_size(), self.options.accumulate)
        self.order = TrainOrder(
            length=len(self.train_set),
            total_batch=self.batch.total,
            max_epochs=cfg["scheduler"]["max_epochs"],
            seed=self.options.seed,
            shuffle=cfg["dataloader"]["train"].get("shuffle", True),
            drop_last=cfg["dataloader"]["train"].get("drop_last", True),
            rank=rank(),
            world_size=world_size(),
            accumulate=self.batch.accumulate,
        )
        if not self.order.iters_per_epoch:
            raise DataError(
                f"{type(self.train_set).__name__} has {len(self.train_set)} samples, fewer than the total batch of "
                f"{self.batch.total}, and SEGMENTOR_CFG['dataloader']['train']['drop_last'] leaves out what does not "
                "fill a batch. Use a smaller expected_total_train_bs_for_assert, drop_last=False, or "
                "SEGMENTOR_CFG['dataset']['repeat_times']."
            )
        sizes = f"{len(self.train_set)} training and {len(self.test_set)} test samples"
        self.logger.info(f"{sizes}, {self.train_set.num_classes} classes, batch {self.batch}")

    def _build_state(self) -> None:
        cfg, scheduler_cfg = self.cfg, dict(self.cfg["scheduler"])
        segmentor = build_segmentor(cfg, "TRAIN", self.device)
        optimizer_cfg = dict(scheduler_cfg["optimizer"])
        optimizer = BuildOptimizer(segmentor, optimizer_cfg)
        scheduler_cfg |= {
            "lr": optimizer_cfg["lr"],
            "iters_per_epoch": self.order.iters_per_epoch,
            "params_rules": optimizer_cfg.get("params_rules", {}),
        }
        scheduler = BuildScheduler(optimizer, scheduler_cfg)
        self.precision.prepare(segmentor, optimizer)
        ema_cfg = cfg.get("ema_cfg") or {}
        self.state = TrainState(
            segmentor=segmentor,
            optimizer=optimizer,
            scheduler=scheduler,
            ema=EMASegmentor(segmentor, **ema_cfg) if ema_cfg.get("momentum") is not None else None,
            scaler=self.precision.scaler,
            iters_per_epoch=self.order.iters_per_epoch,
            seed=self.options.seed,
        )
        wrapped = BuildDistributedModel(segmentor, cfg.get("build_dist_model_cfg"))
        self.model: Any = torch.compile(wrapped) if self.options.compile else wrapped

    def resume(self, ckptspath: str) -> None:
        """Go on from a checkpoint."""
        self.state.load_state_dict(loadckpts(ckptspath), ckptspath)
        iteration, epoch = self.state.iteration, self.state.epoch
        self.log.rewind(iteration)
        self.logger.info(
            f"going on from {ckptspath}: iteration {iteration} of {self.order.max_iters}, {epoch} epochs done"
        )
        self.log.write("event", epoch, iteration, message="resumed", checkpoint=str(ckptspath))
        if iteration and iteration % self.order.iters_per_epoch == 0:
            self._evaluate_if_due()  # an epoch is saved first and evaluated then

    def run(self) -> None:
        """Train to the end of the last epoch; save and evaluate at their intervals."""
        state, order, options = self.state, self.order, self.options
        batches = self._batches()
        with StopSignals() as stop, progress("train", order.max_iters, state.iteration) as meter:
            while state.iteration < order.max_iters:
                parts, ids = next(batches)
                state.segmentor.train()
                losses = train_step(state, self.model, parts, self.precision, ids)
                self.reporter.iteration(state, losses, meter)
                ends_epoch = state.iteration % order.iters_per_epoch == 0
                if ends_epoch:
                    self._end_epoch()
                elif options.save_interval_iters and state.iteration % options.save_interval_iters == 0:
                    self._save(f"checkpoints-iter-{state.iteration}.pth")
                if (name := stop.requested()) and state.iteration < order.max_iters:
                    self._stop(name)

    def _batches(self) -> Iterator[tuple[list[SSSegInputStructure], list[Any]]]:
        """Yield this process's parts of each iteration from the position on, on the device, with their ids."""
        loader = train_loader(
            SeededDataset(self.train_set),
            self.cfg["dataloader"]["train"],
            self.order,
            start=self.state.iteration,
            timeout=self.options.loader_timeout,
        )
        parts: list[SSSegInputStructure] = []
        ids: list[Any] = []
        for batch in loader:
            ids += batch.pop("ids")
            tensors = {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}
            if self.options.channels_last:
                tensors["images"] = tensors["images"].contiguous(memory_format=torch.channels_last)
            parts.append(SSSegInputStructure(mode="TRAIN", **tensors))
            if len(parts) == self.batch.accumulate:
                yield parts, ids
                parts, ids = [], []

    def _end_epoch(self) -> None:
        epoch, interval = self.state.epoch, self.cfg["save_interval_epochs"]
        if epoch == self.order.max_epochs or (interval and epoch % interval == 0):
            self._save(f"checkpoints-epoch-{epoch}.pth")
        self._evaluate_if_due()
        self.reporter.timer.skip()

    def _evaluate_if_due(self) -> None:
        """Evaluate the weights, and their average where there is one; keep the best."""
        epoch, interval = self.state.epoch, self.cfg["eval_interval_epochs"]
        if epoch != self.order.max_epochs and not (interval and epoch % interval == 0):
            return
        improved = self._evaluate("model", self.state.segmentor)
        if self.state.ema is not None:
            improved |= self._evaluate("ema", self.state.ema.segmentor_ema)
        if improved:
            self._save("checkpoints-best.pth", link=False)

    def _evaluate(self, weights: str, segmentor: Any) -> bool:
        """Evaluate one set of weights; return whether it is the best so far."""
        state, dataset, home = self.state, self.test_set, next(segmentor.parameters()).device
        title = f"evaluate {weights}, epoch {state.epoch}"
        labelled = label_dataset(
            segmentor.to(self.device),
            dataset,
            self.cfg,
            device=self.device,
            autocast=self.precision.autocast,
            title=title,
        )
        metrics = metrics_of(confusion_matrix(labelled, dataset.num_classes, dataset.ignore_index), self.cfg)
        segmentor.to(home)
        shown = format_metrics(metrics, self.cfg["inference"]["evaluate"]["metric_list"], dataset.classnames)
        self.log.write("eval", state.epoch, state.iteration, weights=weights, **shown)
        self.logger.info(f"{title}\n{metrics_table(metrics, dataset.classnames)}")
        name = self.options.best_metric
        if name not in metrics:
            where = "SEGMENTOR_CFG['runtime']['best_metric']"
            raise ConfigError(f"{where}: no metric is called {name!r}; there are {', '.join(metrics)}")
        value = float(metrics[name])
        if math.isnan(value) or value <= state.best.get("value", -math.inf):  # nan: no class was there
            return False
        state.best = {"metric": name, "value": value, "weights": weights, "epoch": state.epoch}
        return True

    def _save(self, name: str, link: bool = True) -> None:
        """Write a checkpoint; the other processes wait."""
        if ismainprocess():
            entries = self.state.state_dict()
            entries["ssseg"]["config"] = plain_dict(self.cfg)
            entries["ssseg"]["label_map"] = self.train_set.label_map.to_json()
            saveckpts(entries, self.work_dir / name, make_soft_link=link)
            if self.options.keep_last:
                keep_last(self.work_dir, self.options.keep_last)
            self.log.write("event", self.state.epoch, self.state.iteration, message="saved", checkpoint=name)
        barrier()

    def _stop(self, signal_name: str) -> None:
        """Save where the run stands, and leave."""
        at_epoch = self.state.iteration % self.order.iters_per_epoch == 0
        name = f"epoch-{self.state.epoch}" if at_epoch else f"iter-{self.state.iteration}"
        self._save(f"checkpoints-{name}.pth")
        raise StopRequested(
            f"{signal_name}: stopped after iteration {self.state.iteration} of {self.order.max_iters} and saved "
            f"{self.work_dir / f'checkpoints-{name}.pth'}. Go on with "
            f"--ckptspath {self.work_dir / 'checkpoints-epoch-latest.pth'}"
        )
