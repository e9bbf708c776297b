"""MCIBI with DeepLabV3, ResNeSt-101 at 1/8, ADE20k, 512x512, 180 epochs. Published mIoU: 46.63 %."""

from .._base_ import experiment
from .._base_.backbones import resnest
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBI",
    dataset="ADE20k_512x512",
    dataloader="BS16",
    max_epochs=180,
    backbone=resnest(101, outstride=8),
    optimizer=sgd(0.004),
)
SEGMENTOR_CFG["head"]["update_cfg"]["momentum_cfg"]["base_lr"] = 0.004
