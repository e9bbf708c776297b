"""MCIBI with DeepLabV3, HRNetV2-W48, LIP, 473x473, 150 epochs. Published mIoU: 56.40 %."""

from .._base_ import experiment
from .._base_.backbones import hrnet
from .._base_.losses import cross_entropy
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBI",
    dataset="LIP_473x473",
    dataloader="BS40",
    max_epochs=150,
    backbone=hrnet("w48", maps=4),
    optimizer=sgd(0.007),
)
SEGMENTOR_CFG["head"]["downsample_backbone"]["stride"] = 2
SEGMENTOR_CFG["head"]["in_channels"] = 720
SEGMENTOR_CFG["head"]["update_cfg"]["momentum_cfg"]["base_lr"] = 0.007
SEGMENTOR_CFG["head"]["use_loss"] = False
SEGMENTOR_CFG["auxiliary"] = None
SEGMENTOR_CFG["losses"] = {"loss_cls_stage1": cross_entropy(0.4), "loss_cls_stage2": cross_entropy()}
