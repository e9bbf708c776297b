"""DNLNet, ResNet-101 at 1/8, ADE20k, 512x512, 130 epochs. Published mIoU: 44.88 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__, "DNLNET", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, backbone=resnet(101, outstride=8)
)
