"""CE2P, ResNet-50 at 1/16, CIHP, 473x473, 150 epochs. Published mIoU: 60.15 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "CE2P",
    dataset="CIHP_473x473",
    dataloader="BS32",
    max_epochs=150,
    backbone=resnet(50, outstride=16, selected_indices=(0, 1, 2, 3)),
)
