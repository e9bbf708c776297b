"""ISNet, ResNeSt-101 at 1/8, Cityscapes, 512x1024, 440 epochs. Published mIoU: 78.78 %."""

from .._base_ import experiment
from .._base_.backbones import resnest

SEGMENTOR_CFG = experiment(
    __file__,
    "ISNET",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS16",
    max_epochs=440,
    backbone=resnest(101, outstride=8),
)
