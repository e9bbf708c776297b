"""MCIBI with DeepLabV3, HRNetV2-W48, COCO-Stuff 10k, 512x512, 110 epochs. Published mIoU: 39.77 %."""

from .._base_ import experiment
from .._base_.backbones import hrnet
from .._base_.losses import cross_entropy
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBI",
    dataset="COCOStuff10k_512x512",
    dataloader="BS16",
    max_epochs=110,
    backbone=hrnet("w48", maps=4),
    optimizer=sgd(0.001, weight_decay=0.0001),
)
SEGMENTOR_CFG["head"]["in_channels"] = 720
SEGMENTOR_CFG["head"]["update_cfg"]["momentum_cfg"]["base_lr"] = 0.0009000000000000001
SEGMENTOR_CFG["head"]["use_loss"] = False
SEGMENTOR_CFG["auxiliary"] = None
SEGMENTOR_CFG["losses"] = {"loss_cls_stage1": cross_entropy(0.4), "loss_cls_stage2": cross_entropy()}
