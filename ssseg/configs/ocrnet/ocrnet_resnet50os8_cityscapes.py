"""OCRNet, ResNet-50 at 1/8, Cityscapes, 512x1024, 440 epochs. Published mIoU: 79.40 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "OCRNET",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS8",
    max_epochs=440,
    backbone=resnet(50, outstride=8),
)
SEGMENTOR_CFG["head"]["in_channels"] = 2048
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 1024, "out_channels": 512, "dropout": 0}
