"""MCIBI++ with UPerNet, ResNeSt-101 at 1/8, COCO-Stuff 10k, 512x512, 150 epochs. Published mIoU: 41.81 %."""

from .._base_ import experiment
from .._base_.backbones import resnest
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="COCOStuff10k_512x512",
    dataloader="BS32",
    max_epochs=150,
    backbone=resnest(101, outstride=8),
    optimizer=sgd(0.001),
)
SEGMENTOR_CFG["head"]["context_within_image"] = {
    "is_on": True,
    "type": "ppm",
    "cfg": {"dilations": [1, 12, 24, 36], "pool_scales": [1, 2, 3, 6]},
    "use_self_attention": False,
}
SEGMENTOR_CFG["head"]["decoder"]["cls"] = {
    "in_channels": 2560,
    "out_channels": 512,
    "kernel_size": 3,
    "padding": 1,
    "dropout": 0.1,
}
SEGMENTOR_CFG["head"]["decoder"]["cwi"]["kernel_size"] = 3
SEGMENTOR_CFG["head"]["decoder"]["cwi"]["padding"] = 1
SEGMENTOR_CFG["head"]["fpn"] = {"in_channels_list": [256, 512, 1024, 2048], "out_channels": 512, "feats_channels": 1024}
SEGMENTOR_CFG["scheduler"]["min_lr"] = 0.0001
