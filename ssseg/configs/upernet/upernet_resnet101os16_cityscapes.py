"""UPerNet, ResNet-101 at 1/16, Cityscapes, 512x1024, 220 epochs. Published mIoU: 79.64 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "UPERNET",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS8",
    max_epochs=220,
    backbone=resnet(101, outstride=16, selected_indices=(0, 1, 2, 3)),
)
