"""MCIBI++ with UPerNet, ResNeSt-101 at 1/8, ADE20k, 512x512, 180 epochs. Published mIoU: 47.59 %."""

from .._base_ import experiment
from .._base_.backbones import resnest
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="ADE20k_512x512",
    dataloader="BS16",
    max_epochs=180,
    backbone=resnest(101, outstride=8),
    optimizer=sgd(0.004),
)
SEGMENTOR_CFG["head"]["context_within_image"]["is_on"] = True
SEGMENTOR_CFG["head"]["context_within_image"]["use_self_attention"] = False
SEGMENTOR_CFG["head"]["decoder"]["cls"] = {
    "in_channels": 2560,
    "out_channels": 512,
    "kernel_size": 3,
    "padding": 1,
    "dropout": 0.1,
}
SEGMENTOR_CFG["head"]["fpn"] = {"in_channels_list": [256, 512, 1024, 2048], "out_channels": 512, "feats_channels": 1024}
