"""EncNet, ResNet-50 at 1/16, ADE20k, 512x512, 130 epochs. Published mIoU: 39.70 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "ENCNET",
    dataset="ADE20k_512x512",
    dataloader="BS16",
    max_epochs=130,
    backbone=resnet(50, outstride=16, selected_indices=(1, 2, 3)),
)
