"""MCIBI++ with ASPP, ResNet-50 at 1/8, Cityscapes, 512x1024, 220 epochs. Published mIoU: 80.72 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS8",
    max_epochs=220,
    backbone=resnet(50, outstride=8, selected_indices=(0, 1, 2, 3)),
)
SEGMENTOR_CFG["head"]["context_within_image"]["is_on"] = True
SEGMENTOR_CFG["head"]["decoder"]["cls"]["in_channels"] = 1024
