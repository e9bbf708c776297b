"""One training step on 256x256 crops, two at a time, 150 classes: forward, loss, backward, optimizer.

Contenders are the same networks with the same weights. "one-hot" and "plain" are loops as they are usually written:
scores resized to the image, networks of `plain_network`, an optimizer that goes through the parameters one by one,
every loss read in every iteration. A contender takes (case, images, labels): the name of the case, (N, 3, H, W) float32
and (N, H, W) int16, and returns the loss of its first call, which differs by what dropout draws.
"""

import sys
from functools import cache

import harness
import torch
import torch.nn.functional as F
from plain_network import plain_network

from ssseg.engine.build import build_segmentor
from ssseg.engine.devices import Precision
from ssseg.engine.heap import keep_freed_memory
from ssseg.engine.state import TrainState
from ssseg.engine.step import train_step
from ssseg.modules import BuildOptimizer, BuildScheduler, SSSegInputStructure
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.seeds import setrandomseed

CPU = torch.device("cpu")
IMAGES, SIZE, CLASSES = 2, 256, 150
BFLOAT16 = {"type": "pytorch", "autocast": {"dtype": "bfloat16"}}
RESNET18 = "{'type': 'ResNet', 'depth': 18, 'structure_type': 'resnet18', 'outstride': 8, 'selected_indices': (2, 3)}"
CONFIGS = {
    "segformer-b0": ("segformer_mitb0_ade20k",),
    "fcn-r18-os8": (
        "fcn_resnet50os8_ade20k",
        f"backbone={RESNET18}",
        "head.in_channels=512",
        "auxiliary.in_channels=256",
    ),
    "upernet-swin-t": ("upernet_swintiny_ade20k",),
    "deeplabv3plus-r50-os8": ("deeplabv3plus_resnet50os8_ade20k",),
}
ADAMW = {"type": "AdamW", "lr": 6e-5, "weight_decay": 0.01}


class Step:
    """A model with its optimizer; each call trains once."""

    def __init__(self, case, precision=None, **optimizer):
        cfg = load_config(CONFIGS[case][0], [*CONFIGS[case][1:], "backbone.pretrained=False"])
        setrandomseed(0)
        model = build_segmentor(cfg, "TRAIN", CPU).train()
        self.optimizer = BuildOptimizer(model, {**ADAMW, **optimizer})
        schedule = {"type": "PolyScheduler", "max_epochs": 1, "iters_per_epoch": 10_000}
        scheduler = BuildScheduler(self.optimizer, schedule)
        self.state = TrainState(model, self.optimizer, scheduler, None, None, 10_000)
        self.model, self.precision = model, Precision(precision, CPU)
        self.first = None

    def ours(self, images, labels):
        part = SSSegInputStructure(mode="TRAIN", images=images, seg_targets=labels)
        return train_step(self.state, self.model, [part], self.precision, [])["loss_total"]

    def by_hand(self, images, labels, cross_entropy):
        with plain_network():
            features = self.model.transforminputs(
                self.model.backbone_net(images), selected_indices=self.model.cfg["backbone"].get("selected_indices")
            )
            scores = {"loss_cls": self.model.predict(features)}
            if self.model.auxiliary_decoder is not None:
                scores["loss_aux"] = self.model.auxiliary_decoder(features[-2])
            losses = {}
            for name, small in scores.items():
                large = F.interpolate(small, labels.shape[1:], mode="bilinear", align_corners=False)
                losses[name] = cross_entropy(large, labels.long()) * self.model.cfg["losses"][name]["scale_factor"]
            total = sum(losses.values())
            self.optimizer.zero_grad()
            total.backward()
        self.optimizer.step()
        return [loss.item() for loss in losses.values()] and total.detach()


def one_hot(large, labels):
    """Return the cross entropy through one-hot targets, as a dense loss is often written."""
    scores = large.permute(0, 2, 3, 1).flatten(0, 2)
    labels = labels.flatten()
    valid = labels != -100
    return F.cross_entropy(scores[valid], F.one_hot(labels[valid], large.shape[1]).float())


@cache
def made(kind, case):
    if kind.startswith("ours"):
        return Step(case, BFLOAT16 if kind.endswith("bf16") else None)
    return Step(case, fused=False, foreach=False)


def contender(kind):
    def run(case, images, labels):
        step = made(kind, case)
        loss = step.ours(images, labels) if kind.startswith("ours") else step.by_hand(images, labels, LOSSES[kind])
        step.first = loss if step.first is None else step.first
        return step.first

    return run


LOSSES = {"one-hot": one_hot, "plain": F.cross_entropy}
CONTENDERS = {name: contender(name) for name in ("one-hot", "plain", "ours", "ours bf16")}


def inputs(case):
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randint(0, CLASSES, (IMAGES, SIZE // 16, SIZE // 16), generator=generator)
    labels = coarse.repeat_interleave(16, 1).repeat_interleave(16, 2)
    labels[:, : SIZE // 12] = -100
    return case, torch.randn(IMAGES, 3, SIZE, SIZE, generator=generator), labels.to(torch.int16)


def differ(expected, result):
    return f"loss {abs(float(result / expected) - 1):.1e}"


if __name__ == "__main__":
    torch.set_num_threads(1)
    if "--memory-of" not in sys.argv:
        keep_freed_memory()  # as a run of ours does; it helps the baselines, too
    harness.main(__doc__, {case: (lambda case=case: inputs(case)) for case in CONFIGS}, CONTENDERS, differ)
