"""ISNet, ResNeSt-101 at 1/8, LIP, 473x473, 150 epochs. Published mIoU: 56.52 %."""

from .._base_ import experiment
from .._base_.backbones import resnest
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "ISNET",
    dataset="LIP_473x473",
    dataloader="BS40",
    max_epochs=150,
    backbone=resnest(101, outstride=8),
    optimizer=sgd(0.007),
)
SEGMENTOR_CFG["act_cfg"]["negative_slope"] = 0.01
SEGMENTOR_CFG["act_cfg"]["type"] = "LeakyReLU"
SEGMENTOR_CFG["head"]["shortcut"]["is_on"] = True
