"""MCIBI with DeepLabV3, ResNet-101 at 1/8, Cityscapes, 512x1024, 440 epochs, trained on train and val.

Published mIoU: 82.10 %.
"""

from .._base_ import experiment
from .._base_.backbones import resnet
from .._base_.inference import slide

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBI",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS16",
    max_epochs=440,
    backbone=resnet(101, outstride=8, selected_indices=(0, 1, 2, 3)),
    inference=slide((1024, 512), scales=[0.5, 0.75, 1.0, 1.25, 1.5, 1.75], flip=True),
)
SEGMENTOR_CFG["head"]["update_cfg"]["momentum_cfg"]["base_lr"] = 0.009000000000000001
SEGMENTOR_CFG["head"]["use_loss"] = False
SEGMENTOR_CFG["dataset"]["test"]["set"] = "test"
SEGMENTOR_CFG["dataset"]["train"]["set"] = "trainval"
