"""MCIBI with DeepLabV3, ResNeSt-101 at 1/8, LIP, 473x473, 150 epochs. Published mIoU: 56.21 %."""

from .._base_ import experiment
from .._base_.backbones import resnest
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBI",
    dataset="LIP_473x473",
    dataloader="BS40",
    max_epochs=150,
    backbone=resnest(101, outstride=8),
    optimizer=sgd(0.007),
)
SEGMENTOR_CFG["head"]["update_cfg"]["momentum_cfg"]["base_lr"] = 0.007
SEGMENTOR_CFG["head"]["use_loss"] = False
