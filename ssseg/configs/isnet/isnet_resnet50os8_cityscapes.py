"""ISNet, ResNet-50 at 1/8, Cityscapes, 512x1024, 440 epochs. Published mIoU: 79.32 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "ISNET",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS16",
    max_epochs=440,
    backbone=resnet(50, outstride=8, selected_indices=(0, 1, 2, 3)),
)
