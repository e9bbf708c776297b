"""UPerNet, ConvNeXt-XLarge (ImageNet-21k), ADE20k, 640x640, 130 epochs. Published mIoU: 53.68 %."""

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
    backbone=convnext("xlarge", "21k"),
    scheduler=linear_after_warmup(),
    inference=slide(640),
)
SEGMENTOR_CFG["head"]["feats_channels"] = 1024
SEGMENTOR_CFG["head"]["in_channels_list"] = [256, 512, 1024, 2048]
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 1024, "out_channels": 512, "dropout": 0.1}
