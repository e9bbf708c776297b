"""UPerNet, ConvNeXt-Tiny, ADE20k, 512x512, 130 epochs. Published mIoU: 46.25 %."""

from .._base_ import experiment
from .._base_.backbones import convnext
from .._base_.inference import slide
from .._base_.schedules import linear_after_warmup

SEGMENTOR_CFG = experiment(
    __file__,
    "CONVNEXT",
    dataset="ADE20k_512x512",
    dataloader="BS16",
    max_epochs=130,
    backbone=convnext("tiny"),
    scheduler=linear_after_warmup(),
    inference=slide(512),
)
SEGMENTOR_CFG["head"]["in_channels_list"] = [96, 192, 384, 768]
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 384, "out_channels": 512, "dropout": 0.1}
