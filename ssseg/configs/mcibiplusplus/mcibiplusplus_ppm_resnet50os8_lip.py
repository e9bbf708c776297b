"""MCIBI++ with PPM, ResNet-50 at 1/8, LIP, 473x473, 150 epochs. Published mIoU: 52.93 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="LIP_473x473",
    dataloader="BS32",
    max_epochs=150,
    backbone=resnet(50, outstride=8, selected_indices=(0, 1, 2, 3)),
)
SEGMENTOR_CFG["head"]["context_within_image"]["is_on"] = True
SEGMENTOR_CFG["head"]["context_within_image"]["type"] = "ppm"
SEGMENTOR_CFG["head"]["decoder"]["cls"]["in_channels"] = 1024
