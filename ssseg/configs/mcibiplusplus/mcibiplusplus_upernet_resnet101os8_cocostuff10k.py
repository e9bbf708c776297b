"""MCIBI++ with UPerNet, ResNet-101 at 1/8, COCO-Stuff 10k, 512x512, 110 epochs. Published mIoU: 40.41 %."""

from .._base_ import experiment
from .._base_.backbones import resnet
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="COCOStuff10k_512x512",
    dataloader="BS16",
    max_epochs=110,
    backbone=resnet(101, outstride=8, selected_indices=(0, 1, 2, 3)),
    optimizer=sgd(0.001, weight_decay=0.0001),
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
