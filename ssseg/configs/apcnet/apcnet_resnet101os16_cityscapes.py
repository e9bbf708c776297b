"""APCNet, ResNet-101 at 1/16, Cityscapes, 512x1024, 220 epochs. Published mIoU: 78.53 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "APCNET",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS8",
    max_epochs=220,
    backbone=resnet(101, outstride=16),
)
