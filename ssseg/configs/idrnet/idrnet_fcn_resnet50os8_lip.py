"""IDRNet with FCN, ResNet-50 at 1/8, LIP, 473x473, 150 epochs. Published mIoU: 51.24 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__, "IDRNET", dataset="LIP_473x473", dataloader="BS32", max_epochs=150, backbone=resnet(50, outstride=8)
)
