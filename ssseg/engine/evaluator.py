"""The loop over a test set: label maps against targets, in constant memory, on any number of processes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from ..modules.datasets.pipelines import ConfusionMatrix
from ..modules.datasets.seeding import SeededDataset
from ..modules.parallel.dataloader import eval_loader
from ..modules.parallel.order import EvalOrder
from ..modules.utils.distributed import all_reduce, rank, world_size
from .labelling import label_images
from .options import RuntimeOptions
from .progress import progress

Labelled = tuple[dict[str, Any], Tensor]  # a sample, and its predicted label map (H, W) int16


def label_dataset(
    segmentor: Any,
    dataset: Any,
    cfg: Mapping[str, Any],
    *,
    device: torch.device,
    autocast: Callable[[], Any],
    augmented: bool = False,
    title: str = "evaluate",
) -> Iterator[Labelled]:
    """Yield this process's share of the samples, each with its label map at the original size, on the CPU.

    Args:
        segmentor: put into TEST mode meanwhile.
        dataset: of mode TEST.
        cfg: `SEGMENTOR_CFG`; its test loader and runtime options are used.
        autocast: makes the context of the forward pass.
        augmented: with the scales and flips of `SEGMENTOR_CFG['inference']['tta']`.
        title: of the progress bar.
    """
    options, part = RuntimeOptions.of(cfg), cfg["dataloader"]["test"]
    order = EvalOrder(len(dataset), part.get("batch_size_per_gpu", 1), options.seed, rank(), world_size())
    loader = eval_loader(SeededDataset(dataset), part, order, timeout=options.loader_timeout)
    was_training = segmentor.training
    segmentor.eval()
    try:
        mine = len(range(rank(), len(dataset), world_size()))
        with loader.failures(), progress(title, mine) as meter:
            for samples in loader:
                for images, size, members in _grouped(samples):
                    moved = images.to(device, non_blocking=True)
                    if options.channels_last:
                        moved = moved.contiguous(memory_format=torch.channels_last)
                    with autocast():
                        labels = label_images(segmentor, moved, size, augmented=augmented).cpu()
                    yield from zip(members, labels, strict=True)
                    for _ in members:
                        meter.advance()
    finally:
        segmentor.train(was_training)


def _grouped(samples: Iterable[dict[str, Any]]) -> Iterator[tuple[Tensor, tuple[int, int], list[dict[str, Any]]]]:
    """Yield runs of samples of one size: their stacked images, original size, and the samples."""

    def sizes(sample: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, int]]:
        return tuple(sample["image"].shape), (int(sample["height"]), int(sample["width"]))

    for (_, size), group in groupby(samples, key=sizes):
        members = list(group)
        yield torch.stack([sample["image"] for sample in members]), size, members


def confusion_matrix(labelled: Iterable[Labelled], num_classes: int, ignore_index: int) -> ConfusionMatrix:
    """Return the counts of all processes' label maps against their targets."""
    matrix = ConfusionMatrix(num_classes, ignore_index)
    for sample, labels in labelled:
        matrix.update(labels.numpy(), torch.as_tensor(sample["seg_target"]).numpy())
    merged = ConfusionMatrix(num_classes, ignore_index)
    merged.add(all_reduce(torch.from_numpy(matrix.counts)).numpy())
    return merged


def metrics_of(matrix: ConfusionMatrix, cfg: Mapping[str, Any]) -> dict[str, Any]:
    """Return every metric, with the `nan_to_num` and `beta` of `SEGMENTOR_CFG['inference']['evaluate']`."""
    evaluate = cfg["inference"]["evaluate"]
    return matrix.metrics(nan_to_num=evaluate.get("nan_to_num"), beta=evaluate.get("beta", 1.0))
