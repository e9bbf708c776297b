"""PSANet, ResNet-50 at 1/8, Cityscapes, 512x1024, 220 epochs. Published mIoU: 78.88 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "PSANET",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS8",
    max_epochs=220,
    backbone=resnet(50, outstride=8),
)
