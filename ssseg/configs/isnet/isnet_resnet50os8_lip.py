"""ISNet, ResNet-50 at 1/8, LIP, 473x473, 150 epochs. Published mIoU: 53.14 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "ISNET",
    dataset="LIP_473x473",
    dataloader="BS32",
    max_epochs=150,
    backbone=resnet(50, outstride=8, selected_indices=(0, 1, 2, 3)),
)
SEGMENTOR_CFG["act_cfg"]["negative_slope"] = 0.01
SEGMENTOR_CFG["act_cfg"]["type"] = "LeakyReLU"
SEGMENTOR_CFG["head"]["shortcut"]["is_on"] = True
