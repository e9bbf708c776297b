"""MCIBI++ with ASPP, ResNet-50 at 1/8, COCO-Stuff 10k, 512x512, 110 epochs. Published mIoU: 38.94 %."""

from .._base_ import experiment
from .._base_.backbones import resnet
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="COCOStuff10k_512x512",
    dataloader="BS16",
    max_epochs=110,
    backbone=resnet(50, outstride=8, selected_indices=(0, 1, 2, 3)),
    optimizer=sgd(0.001, weight_decay=0.0001),
)
SEGMENTOR_CFG["head"]["context_within_image"]["is_on"] = True
SEGMENTOR_CFG["head"]["decoder"]["cls"] = {
    "in_channels": 1024,
    "out_channels": 512,
    "kernel_size": 3,
    "padding": 1,
    "dropout": 0.1,
}
