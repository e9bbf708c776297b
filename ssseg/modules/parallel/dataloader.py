"""Reads batches in worker processes and hands them on, with failures that say what happened."""

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import cv2
import torch
from torch.utils.data import DataLoader

from ..utils.distributed import rank, world_size
from ..utils.errors import ConfigError, DataError, ResourceError, SSSegError, listed
from .order import EvalOrder, SampleKey, TrainOrder

Sample = dict[str, Any]
_LAST_SECONDS = 10  # that a worker lives on after SIGTERM
LABELS = {"seg_target": "seg_targets", "edge_target": "edge_targets", "img2aug_pos_mapper": "img2aug_pos_mapper"}


def collate_train(samples: Sequence[Sample]) -> dict[str, Any]:
    """Stack samples of one size.

    Shape:
        images: (N, C, H, W) float32. ids: list of N.
        deferred: list of N, where the samples have it, what is still to be done with images (N, H, W, 3) uint8.
        seg_targets, edge_targets, img2aug_pos_mapper: (N, H, W), where the samples have them.
        skipped: messages of all samples, where they have them. unlabelled: how many samples are, likewise.

    Raises:
        ConfigError: the pipeline does not end in tensors. DataError: the samples differ in size.
    """
    _require_tensors(samples, "train")
    sizes = {tuple(sample["image"].shape) for sample in samples}
    if len(sizes) > 1:
        found = ", ".join(f"{sample['id']}: {tuple(sample['image'].shape)}" for sample in samples)
        raise DataError(
            f"SEGMENTOR_CFG['dataset']['train']['data_pipelines']: the images of a batch differ in size ({found}). "
            "End the pipeline in one size, with RandomCrop and Padding."
        )
    batch: dict[str, Any] = {"images": torch.stack([sample["image"] for sample in samples])}
    for name, plural in LABELS.items():
        if name in samples[0]:
            batch[plural] = torch.stack([sample[name] for sample in samples])
    batch["ids"] = [sample["id"] for sample in samples]
    if "deferred" in samples[0]:
        batch["deferred"] = [sample["deferred"] for sample in samples]
    if "skipped" in samples[0]:
        batch["skipped"] = [message for sample in samples for message in sample["skipped"]]
        batch["unlabelled"] = sum(sample["unlabelled"] for sample in samples)
    return batch


def collate_eval(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples as they are, which may differ in size; ConfigError where they hold no tensors."""
    _require_tensors(samples, "test")
    return list(samples)


def _require_tensors(samples: Sequence[Sample], part: str) -> None:
    for sample in samples:
        if not isinstance(sample["image"], torch.Tensor):
            raise ConfigError(
                f"SEGMENTOR_CFG['dataset'][{part!r}]['data_pipelines']: the image of {sample['id']} comes out as "
                f"{type(sample['image']).__name__}, not as a tensor. End the pipeline with ('ToTensor', {{}})."
            )


class _Failure:
    """An error of ours on its way from a worker: torch would wrap it in a printed traceback."""

    def __init__(self, error: SSSegError):
        self.error = error


class _Reporting:
    """Runs `function` and returns one of our errors instead of raising it."""

    def __init__(self, function: Callable[[Any], Any]):
        self.function = function

    def __call__(self, argument: Any) -> Any:
        try:
            return self.function(argument)
        except SSSegError as error:
            return _Failure(error)


class _ReportingDataset(torch.utils.data.Dataset[Any]):
    def __init__(self, dataset: Any):
        self.read = _Reporting(dataset.__getitem__)

    def __getitem__(self, key: SampleKey) -> Any:
        return self.read(key)


def _collate_unless_failed(collate: Callable[[Sequence[Sample]], Any]) -> Callable[[Sequence[Any]], Any]:
    def collate_or_fail(samples: Sequence[Any]) -> Any:
        failed = next((sample for sample in samples if isinstance(sample, _Failure)), None)
        return failed or collate(samples)

    return _Reporting(collate_or_fail)


def _prepare_reading() -> None:
    """Let OpenCV use one thread: the workers are the parallelism, and in the main process the cores are torch's."""
    cv2.setNumThreads(0)


def _prepare_worker(_worker: int) -> None:
    """Leave requests to stop to the main process, which needs its workers for the step that it finishes.

    Ctrl-C and a cluster's signals reach all processes of a run. SIGTERM is also how torch ends a worker that hangs, so
    that one takes effect, but later.
    """
    _prepare_reading()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGUSR1"):  # not on Windows
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _end_soon)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # a handler of the main process would keep it alive


def _end_soon(_number: int, _frame: FrameType | None) -> None:
    signal.alarm(_LAST_SECONDS)


class BatchLoader:
    """Iterates over batches that workers read ahead.

    Args:
        dataset: `dataset[key]` is a sample; it must depend on the key alone.
        keys: the batches' keys, in order.
        collate: makes a batch of a list of samples.
        workers: processes that read; 0 reads in this one.
        pin_memory: page-locked memory, where there is a GPU.
        timeout: seconds a batch may take before the run stops; with workers only.

    Raises (while iterating):
        SSSegError: of the data set, as it raised it.
        ResourceError: a worker died or hangs; it names the samples that were asked for and did not come.
    """

    def __init__(
        self,
        dataset: Any,
        keys: Callable[[], Iterable[list[SampleKey]]],
        collate: Callable[[Sequence[Sample]], Any],
        *,
        workers: int = 0,
        pin_memory: bool = False,
        timeout: float = 600,
    ):
        self.dataset, self.timeout = dataset, timeout
        self.keys = _Keys(keys)
        _prepare_reading()
        self.loader: DataLoader[Any] = DataLoader(
            _ReportingDataset(dataset),
            batch_sampler=self.keys,
            collate_fn=_collate_unless_failed(collate),
            num_workers=workers,
            pin_memory=pin_memory and torch.cuda.is_available(),
            timeout=timeout if workers else 0,
            worker_init_fn=_prepare_worker,
        )

    def __iter__(self) -> Iterator[Any]:
        batches = iter(self.loader)
        while True:
            with self.failures():
                batch = next(batches, None)
            if batch is None:
                return
            self.keys.asked.popleft()
            if isinstance(batch, _Failure):
                raise batch.error
            yield batch

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Explain what torch says of workers; it does so at any moment, whatever the main process is doing."""
        try:
            yield
        except SSSegError:
            raise
        except RuntimeError as error:
            raise self._explained(error) from error

    def _explained(self, error: RuntimeError) -> RuntimeError:
        """Return a ResourceError for a dead or hanging worker, else the error itself."""
        text = str(error)
        if "DataLoader" not in text and "shared memory object" not in text:
            return error
        if "timed out" in text:
            return ResourceError(
                f"no batch for {self.timeout:g} s: a data worker hangs (a dead network disk?) while it reads "
                f"{self._samples(1)}. SEGMENTOR_CFG['runtime']['loader_timeout'] is the limit in seconds."
            )
        if "shared memory" in text or "shm" in text:
            return ResourceError(
                "the data workers ran out of shared memory (/dev/shm). Enlarge it (docker: --shm-size=8g), or set "
                "SEGMENTOR_CFG['dataloader']['train']['num_workers_per_gpu'] = 0."
            )
        if "exited unexpectedly" in text or "killed by signal" in text:
            return ResourceError(
                f"a data worker died: {text.splitlines()[0].rstrip('. ')}. It was one of those reading "
                f"{self._samples()}. Out of memory? Fewer workers need less: "
                "SEGMENTOR_CFG['dataloader']['train']['num_workers_per_gpu']."
            )
        return error

    def _samples(self, batches: int | None = None) -> str:
        """Return the ids of the samples in flight, or of those of the first batches."""
        name_of = getattr(self.dataset, "name_of", lambda key: f"sample {key[2]}")
        keys = [key for batch in list(self.keys.asked)[:batches] for key in batch]
        return listed((name_of(key) for key in keys), limit=16) or "nothing"


class _Keys(torch.utils.data.Sampler[list[SampleKey]]):
    """Passes the keys of batches on; `asked` are those whose batch did not come yet."""

    def __init__(self, keys: Callable[[], Iterable[list[SampleKey]]]):
        self.keys = keys
        self.asked: deque[list[SampleKey]] = deque()

    def __iter__(self) -> Iterator[list[SampleKey]]:
        self.asked.clear()
        for batch in self.keys():
            self.asked.append(batch)
            yield batch


def train_loader(
    dataset: Any, cfg: Mapping[str, Any], order: TrainOrder, *, start: int = 0, timeout: float = 600
) -> BatchLoader:
    """Return the batches of a run from iteration `start` on; `cfg` is `SEGMENTOR_CFG['dataloader']['train']`."""
    return BatchLoader(
        dataset,
        lambda: order.batches(start),
        collate_train,
        workers=cfg.get("num_workers_per_gpu", 0),
        pin_memory=cfg.get("pin_memory", False),
        timeout=timeout,
    )


def eval_loader(dataset: Any, cfg: Mapping[str, Any], order: EvalOrder, *, timeout: float = 600) -> BatchLoader:
    """Return the batches of an evaluation, as lists of samples; `cfg` is `SEGMENTOR_CFG['dataloader']['test']`."""
    return BatchLoader(
        dataset,
        order.batches,
        collate_eval,
        workers=cfg.get("num_workers_per_gpu", 0),
        pin_memory=cfg.get("pin_memory", False),
        timeout=timeout,
    )


def BuildDistributedDataloader(dataset: Any, dataloader_cfg: Mapping[str, Any]) -> BatchLoader:  # noqa: N802
    """Return one epoch of this process's batches of `dataset`.

    Args:
        dataset: its `mode` TRAIN gives stacked batches, TEST lists of samples; it is read by index.
        dataloader_cfg: `SEGMENTOR_CFG['dataloader']`, or its train or test part.
    """
    part = dict(dataloader_cfg.get(dataset.mode.lower()) or dataloader_cfg)
    indexed = _ByIndex(dataset)
    if dataset.mode == "TEST":
        size = part.get("batch_size_per_gpu", 1)
        return eval_loader(indexed, part, EvalOrder(len(dataset), size, rank=rank(), world_size=world_size()))
    order = TrainOrder(
        length=len(dataset),
        total_batch=part["batch_size_per_gpu"] * world_size(),
        max_epochs=1,
        shuffle=part.get("shuffle", True),
        drop_last=part.get("drop_last", True),
        rank=rank(),
        world_size=world_size(),
    )
    return train_loader(indexed, part, order)


class _ByIndex:
    """Reads a data set that knows nothing of keys."""

    def __init__(self, dataset: Any):
        self.dataset = dataset

    def __getitem__(self, key: SampleKey) -> Any:
        return self.dataset[key[2]]
