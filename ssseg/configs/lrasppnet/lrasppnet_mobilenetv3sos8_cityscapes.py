"""LR-ASPP, MobileNetV3-Small at 1/8, Cityscapes, 512x1024, 660 epochs. Published mIoU: 65.06 %."""

from .._base_ import experiment
from .._base_.backbones import mobilenetv3

SEGMENTOR_CFG = experiment(
    __file__,
    "LRASPPNET",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS16",
    max_epochs=660,
    backbone=mobilenetv3("small"),
)
SEGMENTOR_CFG["head"]["in_channels_list"] = [16, 16, 576]
