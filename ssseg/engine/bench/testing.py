"""Inference and evaluation."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...modules.datasets.pipelines import ConfusionMatrix
from ..backbonecfg import without_pretrained
from ..build import build_dataset, build_segmentor
from ..devices import Precision
from ..labelling import logits_to_labels
from .advice import verdict
from .measuring import Report, Stopwatch, compare

Size = tuple[int, int]


class Tested:
    """A segmentor with random weights and a test picture."""

    def __init__(self, cfg: Mapping[str, Any], device: torch.device):
        self.dataset = build_dataset(cfg, "TEST")
        sample = self.dataset[0]
        self.images = sample["image"][None].to(device)
        self.size: Size = (int(sample["height"]), int(sample["width"]))
        self.target = np.asarray(sample["seg_target"])
        self.segmentor = build_segmentor(without_pretrained(cfg), "TEST", device).eval()
        self.precision = Precision(cfg.get("fp16_cfg"), device)

    @torch.inference_mode()
    def forward(self) -> Tensor:
        """Return the scores of the picture."""
        with self.precision.autocast():
            scores: Tensor = self.segmentor.inference(self.images)
        return scores.float()

    def plain_labels(self, scores: Tensor) -> Tensor:
        """Return the label map by resizing all scores."""
        align_corners = self.segmentor.align_corners
        return F.interpolate(scores, self.size, mode="bilinear", align_corners=align_corners).argmax(dim=1).int()

    def labels(self, scores: Tensor) -> Tensor:
        """Return it as evaluation does."""
        return logits_to_labels(scores, self.size, self.segmentor.align_corners)


def bench_infer(cfg: Any, device: torch.device, rounds: int) -> Report:
    """Measure a picture's way to its label map."""
    tested = Tested(cfg, device)
    ways = {
        "scores of all pixels": lambda: tested.plain_labels(tested.forward()),
        "as in inference": lambda: tested.labels(tested.forward()),
    }
    rows = compare(ways, device, rounds)
    watch = Stopwatch(device)
    for _ in range(rounds):
        with watch.lap("forward"):
            scores = tested.forward()
        with watch.lap("label map"):
            tested.labels(scores)
    subject = f"a picture of {tested.size[0]} x {tested.size[1]} on {device}"
    return Report(subject, rows, watch.rows(), *verdict(watch.rows(), cfg, device))


def bench_eval(cfg: Any, device: torch.device, rounds: int) -> Report:
    """Measure what evaluation does with the scores of a picture."""
    tested = Tested(cfg, device)
    scores, num_classes = _of_regions(tested.forward()), tested.dataset.num_classes
    matrix = ConfusionMatrix(num_classes, tested.dataset.ignore_index)

    def plain() -> None:
        labels = tested.plain_labels(scores)[0].cpu().numpy().astype(np.int64)
        target = tested.target.astype(np.int64)
        valid = (target >= 0) & (target < num_classes)
        np.bincount(target[valid] * num_classes + labels[valid], minlength=num_classes**2)

    rows = compare(
        {"plain": plain, "as in evaluation": lambda: matrix.update(tested.labels(scores)[0].cpu(), tested.target)},
        device,
        rounds,
    )
    watch = Stopwatch(device)
    for _ in range(rounds):
        with watch.lap("label map"):
            labels = tested.labels(scores)[0].cpu()
        with watch.lap("confusion matrix"):
            matrix.update(labels, tested.target)
    k, h, w = scores.shape[1:]
    subject = f"scores of {k} classes, {h} x {w}, to counts of {tested.size[0]} x {tested.size[1]} pixels"
    return Report(subject, rows, watch.rows(), *verdict(watch.rows(), cfg, device))


def _of_regions(scores: Tensor) -> Tensor:
    """Return scores in the shape of the given ones whose best classes form regions, as those of trained networks do."""
    h, w = scores.shape[2:]
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(*scores.shape[:2], h // 16 + 2, w // 16 + 2, generator=generator)
    noise = torch.randn(scores.shape, generator=generator)
    return (F.interpolate(4 * coarse, (h, w), mode="bicubic") + 0.01 * noise).to(scores.device)
