"""MCIBI++ with ASPP, ResNet-101 at 1/8, Cityscapes, 512x1024, 440 epochs, trained on train and val.

Published mIoU: 82.20 %.
"""

from .._base_ import experiment
from .._base_.backbones import resnet
from .._base_.inference import slide

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS16",
    max_epochs=440,
    backbone=resnet(101, outstride=8, selected_indices=(0, 1, 2, 3)),
    inference=slide((1024, 512), scales=[0.5, 0.75, 1.0, 1.25, 1.5, 1.75], flip=True),
)
SEGMENTOR_CFG["head"]["context_within_image"]["is_on"] = True
SEGMENTOR_CFG["head"]["decoder"]["cls"] = {
    "in_channels": 1024,
    "out_channels": 512,
    "kernel_size": 3,
    "padding": 1,
    "dropout": 0.1,
}
SEGMENTOR_CFG["dataset"]["test"]["set"] = "test"
SEGMENTOR_CFG["dataset"]["train"]["set"] = "trainval"
