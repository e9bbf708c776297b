"""MCIBI++ with ASPP, HRNetV2-W48, Cityscapes, 512x1024, 440 epochs, trained on train and val.

Published mIoU: 82.74 %.
"""

from .._base_ import experiment
from .._base_.backbones import hrnet
from .._base_.inference import slide
from .._base_.losses import cross_entropy

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS16",
    max_epochs=440,
    backbone=hrnet("w48", maps=4, downsampled=True),
    inference=slide((1024, 512), scales=[0.5, 0.75, 1.0, 1.25, 1.5, 1.75], flip=True),
)
SEGMENTOR_CFG["head"]["context_within_image"]["is_on"] = True
SEGMENTOR_CFG["head"]["context_within_image"]["use_self_attention"] = False
SEGMENTOR_CFG["head"]["decoder"]["cls"] = {
    "in_channels": 1024,
    "out_channels": 512,
    "kernel_size": 3,
    "padding": 1,
    "dropout": 0.1,
}
SEGMENTOR_CFG["head"]["decoder"]["cwi"]["kernel_size"] = 3
SEGMENTOR_CFG["head"]["decoder"]["cwi"]["padding"] = 1
SEGMENTOR_CFG["head"]["downsample_before_sa"] = True
SEGMENTOR_CFG["head"]["in_channels"] = 720
SEGMENTOR_CFG["auxiliary"] = None
SEGMENTOR_CFG["losses"] = {"loss_cls": cross_entropy(), "loss_cwi": cross_entropy(), "loss_pr": cross_entropy(0.4)}
SEGMENTOR_CFG["dataset"]["test"]["set"] = "test"
SEGMENTOR_CFG["dataset"]["train"]["set"] = "trainval"
