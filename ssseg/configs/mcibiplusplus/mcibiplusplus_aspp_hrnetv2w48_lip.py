"""MCIBI++ with ASPP, HRNetV2-W48, LIP, 473x473, 150 epochs. Published mIoU: 56.72 %."""

from .._base_ import experiment
from .._base_.backbones import hrnet
from .._base_.losses import cross_entropy
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="LIP_473x473",
    dataloader="BS40",
    max_epochs=150,
    backbone=hrnet("w48", maps=4),
    optimizer=sgd(0.007),
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
SEGMENTOR_CFG["head"]["downsample_before_sa"] = True
SEGMENTOR_CFG["head"]["in_channels"] = 720
SEGMENTOR_CFG["auxiliary"] = None
SEGMENTOR_CFG["losses"] = {"loss_cls": cross_entropy(), "loss_cwi": cross_entropy(), "loss_pr": cross_entropy(0.4)}
