"""UPerNet, ConvNeXt-Base (ImageNet-21k), ADE20k, 640x640, 130 epochs. Published mIoU: 52.71 %."""

from .._base_ import experiment
from .._base_.backbones import convnext
from .._base_.inference import slide
from .._base_.schedules import linear_after_warmup

SEGMENTOR_CFG = experiment(
    __file__,
    "CONVNEXT",
    dataset="ADE20k_640x640",
    dataloader="BS16",
    max_epochs=130,
    backbone=convnext("base", "21k"),
    scheduler=linear_after_warmup(),
    inference=slide(640, probs_first=False),
)
