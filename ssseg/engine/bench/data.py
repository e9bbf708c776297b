from collections.abc import Callable
from typing import Any

import torch

from ...modules.datasets.fusing import fuse_pipelines
from ...modules.utils.seeds import seed_generators
from ..build import build_dataset
from ..options import RuntimeOptions
from .advice import verdict
from .measuring import Report, Stopwatch, compare


def bench_data(cfg: Any, device: torch.device, rounds: int) -> Report:
    """Measure reading a training sample in one process."""
    plain, ours = build_dataset(cfg, "TRAIN"), build_dataset(cfg, "TRAIN")
    fuse_pipelines(ours, device_transforms=RuntimeOptions.of(cfg).device_transforms)
    watch = Stopwatch(torch.device("cpu"))
    for index in range(rounds):
        seed_generators(0, 1, index)
        imageid = plain.imageids[index % len(plain.imageids)]
        with watch.lap("decode"):
            sample = plain.read(plain.image_path(imageid), plain.ann_path(imageid))
        sample["id"] = imageid
        with watch.lap("augment"):
            plain.synctransforms(sample)

    def read(dataset: Any) -> Callable[[], Any]:
        indices = iter(range(10**9))

        def one() -> Any:
            index = next(indices) % len(dataset)
            seed_generators(0, 1, index)
            return dataset[index]

        return one

    ways = compare({"transform by transform": read(plain), "as in training": read(ours)}, watch.device, rounds)
    return Report("reading a training sample, one process", ways, watch.rows(), *verdict(watch.rows(), cfg, device))
