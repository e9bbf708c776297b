"""A training run, from its config to its last checkpoint."""

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
    setrandomseed,
)
from ..modules.datasets.fusing import fuse_pipelines
from ..modules.datasets.trainsamples import TrainSamples
from ..modules.parallel.dataloader import BatchLoader, train_loader
from ..modules.parallel.order import TrainOrder
from ..modules.utils.configparser import resolved_source
from ..modules.utils.distributed import ismainprocess, rank, world_size
from ..modules.utils.errors import DataError, DivergedError, StopRequested
from ..modules.utils.files import sweep_stale, touchdirs, write_atomically
from .agreement import require_agreement
from .batching import plan_batch
from .build import build_dataset, build_segmentor
from .classweights import resolve_class_weights
from .compiling import compiled
from .configcheck import require_valid
from .databatch import to_device
from .datawatch import DataWatch
from .devices import Precision, choose_device, describe_device, set_up_backends
from .divergence import last_words
from .earlier import set_aside
from .heap import keep_freed_memory
from .labelcache import cache_labels
from .lock import LOCK, work_dir_lock
from .memory import memory_errors
from .options import RuntimeOptions
from .processes import local_rank, process_group
from .progress import progress
from .reporting import Reporter, changes
from .runlog import RunLog
from .saving import Saver
from .signals import StopSignals
from .state import TrainState, plain_dict
from .step import train_step
from .validation import Validation
from .watch import Watch


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
        init_cfg = cfg.get("init_process_group_cfg")
        group = stack.enter_context(process_group(chosen, options.process_timeout, init_cfg))
        work_dir = Path(cfg["work_dir"])
        touchdirs(work_dir)
        stack.enter_context(work_dir_lock(work_dir))
        group.at("counting classes", 0)
        cfg = resolve_class_weights(cfg, work_dir)
        logger = BuildLoggerHandle(cfg["logger_handle_cfg"])
        stack.callback(logger.close)
        log = RunLog(work_dir, tensorboard=options.tensorboard, enabled=ismainprocess())
        stack.callback(log.close)
        for problem in warnings:
            logger.warning(f"{problem.place}: {problem.message}")
        trainer = Trainer(cfg, options, chosen, work_dir, logger, log, group)
        if ckptspath:
            trainer.resume(ckptspath)
        else:
            set_aside(work_dir, logger)
            log.rewind(0)  # of a run that came to no checkpoint
        trainer.run()
        return trainer.state.best


class Trainer:
    """Holds the parts of one run; `run` takes it from its position to its end."""

    def __init__(
        self,
        cfg: Any,
        options: RuntimeOptions,
        device: torch.device,
        work_dir: Path,
        logger: Any,
        log: RunLog,
        group: Watch,
    ):
        self.cfg, self.options, self.device, self.work_dir = cfg, options, device, work_dir
        self.logger, self.log, self.group = logger, log, group
        set_up_backends(cfg, options)
        if options.keep_memory and device.type == "cpu":
            keep_freed_memory()
        setrandomseed(options.seed)  # the initial weights
        if ismainprocess():
            configs = work_dir / "configs"
            touchdirs(configs)
            for folder in (work_dir, configs):
                sweep_stale(folder, work_dir / LOCK)
            source = resolved_source(cfg).encode()
            write_atomically(configs / f"{work_dir.name}.py", lambda stream: stream.write(source))
        self.precision = Precision(cfg.get("fp16_cfg"), device)
        logger.info(describe_device(device, self.precision))
        group.at("reading lists of data", 0)
        self._build_data()
        require_agreement(cfg, {"the training set": self.train_set, "the test set": self.test_set})
        group.at("building the model", 0)
        self._build_state()
        self.saver = Saver(cfg, self.train_set.label_map.to_json(), work_dir, log, logger)
        self.stop = StopSignals()
        self.ask_every = 10 if device.type == "cuda" and world_size() > 1 else 1  # to agree, GPUs must wait
        self.validation = Validation(cfg, self.test_set, device, self.precision, log, logger, self.stop, group)
        self.reporter = Reporter(cfg, self.order, log, logger, self.precision.kind)

    def _build_data(self) -> None:
        cfg = self.cfg
        self.train_set = build_dataset(cfg, "TRAIN", self.logger)
        self.test_set = build_dataset(cfg, "TEST", self.logger)
        fuse_pipelines(self.train_set, device_transforms=self.options.device_transforms)
        if held := cache_labels(self.train_set, workers=cfg["dataloader"]["train"].get("num_workers_per_gpu", 0)):
            self.logger.info(f"label_cache: the training labels take {held / 1e6:.1f} MB of memory")
        self.watch = DataWatch(self.train_set, self.logger, self.log)
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
            "lr": optimizer_cfg.get("lr"),
            "iters_per_epoch": self.order.iters_per_epoch,
            "params_rules": optimizer_cfg.get("params_rules", {}),
        }
        scheduler = BuildScheduler(optimizer, scheduler_cfg)
        if scheduler.warmup_iters > scheduler.max_iters:
            self.logger.warning(
                f"SEGMENTOR_CFG['scheduler']['warmup_cfg']: takes {scheduler.warmup_iters} iterations, but the run has "
                f"{scheduler.max_iters}: the rate never reaches {scheduler.lr:g}. Shorten it, or train longer."
            )
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
            sizes={"samples": self.order.length, "total_batch": self.order.total_batch},
            lags=self.device.type == "cuda" and not self.options.dump_batch,  # else the batch would be the next one
        )
        wrapped = BuildDistributedModel(segmentor, cfg.get("build_dist_model_cfg"))
        self.model: Any = compiled(wrapped, self.options.compile)

    def resume(self, ckptspath: str) -> None:
        """Go on from a checkpoint; what the config now has otherwise is listed in the log."""
        checkpoint = loadckpts(ckptspath)
        taken = self.state.load_state_dict(checkpoint, ckptspath)
        iteration, epoch = self.state.iteration, self.state.epoch
        self.log.rewind(iteration)
        self.logger.info(
            f"going on from {ckptspath}: iteration {iteration} of {self.order.max_iters}, {epoch} epochs done; {taken}"
        )
        self.log.write("event", epoch, iteration, message="resumed", checkpoint=str(ckptspath))
        if changed := changes((checkpoint.get("ssseg") or {}).get("config"), plain_dict(self.cfg)):
            self.logger.warning("the config is not that of the checkpoint:\n" + "\n".join(changed))

    def run(self) -> None:
        """Train to the end of the last epoch; save and evaluate at their intervals."""
        state, order, options = self.state, self.order, self.options
        loader = self._loader()
        batches = self._batches(loader)
        with self.stop, self.saver, loader.failures(), progress("train", order.max_iters, state.iteration) as meter:
            if state.iteration and state.iteration % order.iters_per_epoch == 0:
                self._evaluate_if_due()  # an epoch is saved first and evaluated then
            while state.iteration < order.max_iters:
                self.group.at("reading data", state.iteration + 1)
                parts, ids = next(batches)
                state.segmentor.train()
                self.group.at("step", state.iteration + 1)
                try:
                    with memory_errors(self.cfg, self.device, f"training on {self._shown(parts)}"):
                        losses = train_step(state, self.model, parts, self.precision, ids)
                except DivergedError as error:
                    raise last_words(error, self.work_dir, parts, ids, dump=options.dump_batch) from error
                self.reporter.iteration(state, losses, meter)
                ends_epoch = state.iteration % order.iters_per_epoch == 0
                if ends_epoch:
                    self._end_epoch()
                elif options.save_interval_iters and state.iteration % options.save_interval_iters == 0:
                    self._save(f"checkpoints-iter-{state.iteration}.pth")
                asks = ends_epoch or state.iteration % self.ask_every == 0
                if asks and (name := self.stop.requested()) and state.iteration < order.max_iters:
                    self._stop(name)

    def _shown(self, parts: list[SSSegInputStructure]) -> str:
        number, _, height, width = parts[0].images.shape
        return f"{number} crops of {width}x{height} at a time (batch {self.batch})"

    def _loader(self) -> BatchLoader:
        """Return this process's batches from the position on."""
        return train_loader(
            TrainSamples(self.train_set),
            self.cfg["dataloader"]["train"],
            self.order,
            start=self.state.iteration,
            timeout=self.options.loader_timeout,
        )

    def _batches(self, loader: BatchLoader) -> Iterator[tuple[list[SSSegInputStructure], list[Any]]]:
        """Yield this process's parts of each iteration, on the device, with their ids."""
        parts: list[SSSegInputStructure] = []
        ids: list[Any] = []
        for batch in loader:
            ids += batch.pop("ids")
            self.watch.take(batch)
            tensors = to_device(batch, self.device, channels_last=self.options.channels_last)
            parts.append(SSSegInputStructure(mode="TRAIN", **tensors))
            if len(parts) == self.batch.accumulate:
                yield parts, ids
                parts, ids = [], []

    def _end_epoch(self) -> None:
        epoch, interval = self.state.epoch, self.cfg["save_interval_epochs"]
        self.watch.end_epoch(epoch, self.state.iteration)
        if epoch == self.order.max_epochs or (interval and epoch % interval == 0):
            self._save(f"checkpoints-epoch-{epoch}.pth")
        self._evaluate_if_due()
        self.reporter.timer.skip()

    def _evaluate_if_due(self) -> None:
        """Evaluate the weights, and their average where there is one; keep the best."""
        epoch, interval = self.state.epoch, self.cfg["eval_interval_epochs"]
        if epoch != self.order.max_epochs and not (interval and epoch % interval == 0):
            return
        if self.validation.improves(self.state):
            self._save("checkpoints-best.pth", link=False)
        if name := self.stop.requested():  # an evaluation that was cut short is made by the run that goes on
            self._stop(name)

    def _save(self, name: str, link: bool = True) -> None:
        self.group.at("saving", self.state.iteration)
        self.saver.save(self.state, name, link=link, must=link and self.state.iteration == self.order.max_iters)

    def _stop(self, signal_name: str) -> None:
        """Save where the run stands, and leave."""
        at_epoch = self.state.iteration % self.order.iters_per_epoch == 0
        name = f"epoch-{self.state.epoch}" if at_epoch else f"iter-{self.state.iteration}"
        self.group.at("saving", self.state.iteration)
        self.saver.save(self.state, f"checkpoints-{name}.pth", must=True)
        raise StopRequested(
            f"{signal_name}: stopped after iteration {self.state.iteration} of {self.order.max_iters} and saved "
            f"{self.work_dir / f'checkpoints-{name}.pth'}. Go on with "
            f"--ckptspath {self.work_dir / 'checkpoints-epoch-latest.pth'}"
        )
