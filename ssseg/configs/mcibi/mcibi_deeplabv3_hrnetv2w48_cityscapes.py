"""MCIBI with DeepLabV3, HRNetV2-W48, Cityscapes, 512x1024, 500 epochs, trained on train and val.

Published mIoU: 82.54 %.
"""

from .._base_ import experiment
from .._base_.backbones import hrnet
from .._base_.inference import slide
from .._base_.losses import cross_entropy

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBI",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS16",
    max_epochs=500,
    backbone=hrnet("w48", maps=4, downsampled=True),
    inference=slide((1024, 512), scales=[0.5, 0.75, 1.0, 1.25, 1.5, 1.75], flip=True),
)
SEGMENTOR_CFG["head"]["downsample_backbone"]["stride"] = 2
SEGMENTOR_CFG["head"]["in_channels"] = 720
SEGMENTOR_CFG["head"]["update_cfg"]["momentum_cfg"]["base_lr"] = 0.009000000000000001
SEGMENTOR_CFG["head"]["use_loss"] = False
SEGMENTOR_CFG["auxiliary"] = None
SEGMENTOR_CFG["losses"] = {"loss_cls_stage1": cross_entropy(0.4), "loss_cls_stage2": cross_entropy()}
SEGMENTOR_CFG["dataset"]["test"]["set"] = "test"
SEGMENTOR_CFG["dataset"]["train"]["set"] = "trainval"
