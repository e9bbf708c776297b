"""MCIBI with DeepLabV3, HRNetV2-W48, ADE20k, 512x512, 180 epochs. Published mIoU: 45.79 %."""

from .._base_ import experiment
from .._base_.backbones import hrnet
from .._base_.losses import cross_entropy
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBI",
    dataset="ADE20k_512x512",
    dataloader="BS16",
    max_epochs=180,
    backbone=hrnet("w48", maps=4),
    optimizer=sgd(0.004),
)
SEGMENTOR_CFG["head"]["in_channels"] = 720
SEGMENTOR_CFG["head"]["update_cfg"]["momentum_cfg"]["base_lr"] = 0.004
SEGMENTOR_CFG["auxiliary"] = None
SEGMENTOR_CFG["losses"] = {"loss_cls_stage1": cross_entropy(0.4), "loss_cls_stage2": cross_entropy()}
