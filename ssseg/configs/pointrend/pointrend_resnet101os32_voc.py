"""PointRend, ResNet-101 at 1/32, PASCAL VOC (augmented set), 512x512, 60 epochs. Published mIoU: 72.31 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "POINTREND",
    dataset="VOCAUG_512x512",
    dataloader="BS16",
    max_epochs=60,
    backbone=resnet(101, outstride=32, selected_indices=(0, 1, 2, 3)),
)
