"""Preparing training samples: `python benchmarks/data_pipeline.py`.

Reads pictures with label maps and makes training views of them, as the experiments on ADE20k, VOC and Cityscapes do.
The baseline is the documented pipeline done plainly. Of the others, "files" is what a training run does by itself;
"labels cached, device" has `dataset.label_cache` and `runtime.device_transforms`, "raw cache" `dataset.raw_cache`, "raw
cache, device" both. All but the baseline leave normalizing to the device, which is not measured here. Pictures are
generated, of the size and with the file sizes of the real ones; "real" cases read those of ../shared/data/samples where
that exists.

A peer is a function of a `Case` that returns a list of (image, label map) for `case.keys`.
"""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from harness import main
from pictures import KINDS, Kind, copy_real, write_tree
from plain_pipeline import PlainPipeline

from ssseg.engine.labelcache import cache_labels
from ssseg.engine.rawcaching import make_raw_cache
from ssseg.modules import BuildDataset
from ssseg.modules.datasets.fusing import fuse_pipelines
from ssseg.modules.datasets.pipelines.fused.ondevice import finished_images
from ssseg.modules.datasets.seeding import SeededDataset
from ssseg.modules.utils.seeds import seed_generators

SAMPLES = Path(__file__).parents[2] / "shared/data/samples"
STORE = Path(tempfile.gettempdir(), "ssseg-benchmark-pictures")
PICTURES = 8
NORMALIZE = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}

Result = list[tuple[Any, Any]]


@dataclass(frozen=True)
class Case:
    """A data set on the disk and which samples are read of it."""

    kind: Kind
    root: Path
    pictures: int
    reads: int

    @property
    def keys(self) -> list[tuple[int, int, int]]:
        return [(0, 1 + number // self.pictures, number % self.pictures) for number in range(self.reads)]

    @property
    def cfg(self) -> dict[str, Any]:
        crop = self.kind.crop_size
        pipeline = [
            ("Resize", {"output_size": self.kind.output_size, "keep_ratio": True, "scale_range": (0.5, 2.0)}),
            ("RandomCrop", {"crop_size": crop, "one_category_max_ratio": 0.75}),
            ("RandomFlip", {"prob": 0.5}),
            ("PhotoMetricDistortion", {}),
            ("Normalize", NORMALIZE),
            ("ToTensor", {}),
            ("Padding", {"output_size": crop, "data_type": "tensor"}),
        ]
        return {"type": self.kind.type, "rootdir": str(self.root), "set": "train", "data_pipelines": pipeline}


def case_of(name: str, real: bool) -> tuple[Case]:
    kind = KINDS[name]
    root = STORE / f"{'real ' if real else ''}{name}".replace(" ", "_")
    if not (root / "done").exists():
        root.mkdir(parents=True, exist_ok=True)
        if real:
            copy_real(root, kind, SAMPLES)
        else:
            write_tree(root, kind, PICTURES)
        (root / "done").touch()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    pictures = len(list((SAMPLES).glob(kind.real))) if real else PICTURES
    return (Case(kind, root, pictures, reads=16 if "Cityscapes" in name else 48),)


class Ours:
    """Our samples, with these options."""

    def __init__(self, *, device: bool = False, labels: bool = False, raw: bool = False, fast: bool = True):
        self.options = {"device": device, "labels": labels, "raw": raw, "fast": fast}
        self.datasets: dict[Path, Any] = {}

    def __call__(self, case: Case) -> Result:
        if case.root not in self.datasets:
            self.datasets[case.root] = self.opened(case)
        dataset = self.datasets[case.root]
        return [dataset[key] for key in case.keys]

    def opened(self, case: Case) -> Any:
        cfg = case.cfg
        if self.options["raw"]:
            make_raw_cache({"dataset": cfg}, case.root / "raw")
            cfg["raw_cache"] = str(case.root / "raw")
        dataset = BuildDataset("TRAIN", None, {**cfg, "label_cache": self.options["labels"]})
        if self.options["fast"]:
            fuse_pipelines(dataset, device_transforms=self.options["device"])
            cache_labels(dataset)
        return SeededDataset(dataset)


class Plainly:
    """The baseline."""

    def __call__(self, case: Case) -> Result:
        dataset = BuildDataset("TRAIN", None, case.cfg)
        pipeline = PlainPipeline(dataset.label_map.raw_to_label, case.kind.output_size, case.kind.crop_size)
        results = []
        for key in case.keys:
            imageid = dataset.imageids[key[2]]
            seed_generators(*key)
            results.append(pipeline(dataset.image_path(imageid), dataset.ann_path(imageid)))
        return results


def decoding(case: Case) -> Result:
    """Decode the files and do nothing with them."""
    dataset = BuildDataset("TRAIN", None, case.cfg)
    for key in case.keys:
        imageid = dataset.imageids[key[2]]
        cv2.imread(dataset.image_path(imageid))
        cv2.imread(dataset.ann_path(imageid), cv2.IMREAD_GRAYSCALE)
    return []


def differ(baseline: Result, own: Result) -> str:
    """Say how far images are apart, in grey levels, and how many labels differ."""
    if not own:
        return ""
    images, labels = [], []
    for (image, label), sample in zip(baseline, own, strict=True):
        finished, target = sample if isinstance(sample, tuple) else (sample["image"], sample["seg_target"])
        if isinstance(sample, dict) and "deferred" in sample:
            finished = finished_images(finished[None], [sample["deferred"]])[0]
        off = (finished - image).abs() * torch.tensor(NORMALIZE["std"])[:, None, None]
        images.append((float(off.max()), float(off.mean())))
        labels.append(float((target != label).float().mean()))
    largest, means = max(one for one, _ in images), np.mean([mean for _, mean in images])
    return f"grey levels at most {largest:.1f}, on average {means:.2f}; labels {100 * np.mean(labels):.3f} %"


CASES = {name: partial(case_of, name, False) for name in KINDS}
if SAMPLES.is_dir():
    CASES |= {f"{name}, real": partial(case_of, name, True) for name, kind in KINDS.items() if kind.real}

CONTENDERS = {
    "plain": Plainly(),
    "documented transforms": Ours(fast=False),
    "files": Ours(),
    "labels cached, device": Ours(labels=True, device=True),
    "raw cache": Ours(raw=True),
    "raw cache, device": Ours(raw=True, device=True),
    "decoding alone": decoding,
}

if __name__ == "__main__":
    main(__doc__, CASES, CONTENDERS, differ)
