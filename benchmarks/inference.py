"""Label maps of whole images, and of large images window by window.

Contenders are the same networks with the same weights. "plain" is inference as it is usually written: the network of
`plain_network`; of windows one after the other, each padded to the whole image and added up; scores resized to the
image, then the best class of each pixel. "network" is the network of "ours" alone, with its scores at the size of the
windows, which tells how much is glue. A contender takes (case, images): the name of the case and (1, 3, H, W) float32,
and returns labels (1, H, W). There are 150 classes, and 19 with windows.
"""

import sys
from functools import cache

import harness
import torch
import torch.nn.functional as F
from plain_network import plain_network
from train_step import BFLOAT16, CONFIGS, CPU

from ssseg.engine.build import build_segmentor
from ssseg.engine.devices import Precision
from ssseg.engine.heap import keep_freed_memory
from ssseg.engine.labelling import label_images
from ssseg.modules import SSSegInputStructure
from ssseg.modules.models.segmentors.base.windows import Windows
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.seeds import setrandomseed

CASES = {  # the network, the image's size, its windows' size and how far they lie apart
    "segformer-b0 512x512": ("segformer-b0", (512, 512), None, None),
    "fcn-r18-os8 256x256": ("fcn-r18-os8", (256, 256), None, None),
    "segformer-b0 384x768 by 288/192": ("segformer-b0", (384, 768), (288, 288), (192, 192)),
    "segformer-b0 512x1024 by 256/171": ("segformer-b0", (512, 1024), (256, 256), (171, 171)),
    "segformer-b0 1024x2048 by 769/513": ("segformer-b0", (1024, 2048), (769, 769), (513, 513)),
}


@cache
def model(case):
    network, _, cropsize, stride = CASES[case]
    classes = 19 if cropsize else 150
    options = [*CONFIGS[network][1:], "backbone.pretrained=False", f"num_classes={classes}"]
    cfg = load_config(CONFIGS[network][0], options)
    if cropsize:
        cfg["inference"]["forward"] = {"mode": "slide", "cropsize": cropsize, "stride": stride}
    cfg["inference"]["tta"]["use_probs_before_resize"] = False
    setrandomseed(0)
    return build_segmentor(cfg, "TEST", CPU).eval()


def logits(case, images):
    return model(case)(SSSegInputStructure(mode="TEST", images=images)).seg_logits


def crops(case, images):
    windows = Windows.over(images, *CASES[case][2:])
    return [
        (top, left, images[:, :, top : top + windows.height, left : left + windows.width])
        for top in windows.tops
        for left in windows.lefts
    ]


@torch.no_grad()
def plain(case, images):
    size = images.shape[2:]
    with plain_network():
        if CASES[case][2] is None:
            large = F.interpolate(logits(case, images), size, mode="bilinear")
            return large.argmax(dim=1).to(torch.int16)
        total, counts = 0, torch.zeros(1, 1, *size)
        for top, left, crop in crops(case, images):
            scores = F.interpolate(logits(case, crop), crop.shape[2:], mode="bilinear")
            bottom, right = size[0] - top - crop.shape[2], size[1] - left - crop.shape[3]
            total = total + F.pad(scores, (left, right, top, bottom))
            counts[:, :, top : top + crop.shape[2], left : left + crop.shape[3]] += 1
        return (total / counts).argmax(dim=1).to(torch.int16)


def ours(case, images):
    return label_images(model(case), images, tuple(images.shape[2:]))


def ours_bf16(case, images):
    with Precision(BFLOAT16, CPU).autocast():
        return ours(case, images)


@torch.no_grad()
def network(case, images):
    """The network of ours, and nothing else."""
    if CASES[case][2] is None:
        return logits(case, images)
    for _, _, crop in crops(case, images):
        scores = F.interpolate(logits(case, crop), crop.shape[2:], mode="bilinear")
    return scores


def inputs(case):
    generator = torch.Generator().manual_seed(0)
    small = torch.randn(1, 3, 16, 32, generator=generator)
    return case, F.interpolate(small, CASES[case][1], mode="bilinear")


def differ(expected, result):
    return f"labels {float((expected != result).float().mean()):.1e}" if result.dtype == torch.int16 else ""


if __name__ == "__main__":
    torch.set_num_threads(1)
    if "--memory-of" not in sys.argv:
        keep_freed_memory()  # as a run of ours does; it helps the baselines, too
    contenders = {"plain": plain, "ours": ours, "ours bf16": ours_bf16, "network": network}
    harness.main(__doc__, {case: (lambda case=case: inputs(case)) for case in CASES}, contenders, differ)
