"""ISNet, ResNeSt-101 at 1/8, COCO-Stuff 10k, 512x512, 150 epochs. Published mIoU: 41.55 %."""

from .._base_ import experiment
from .._base_.backbones import resnest
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "ISNET",
    dataset="COCOStuff10k_512x512",
    dataloader="BS32",
    max_epochs=150,
    backbone=resnest(101, outstride=8),
    optimizer=sgd(0.001, weight_decay=0.0001),
)
SEGMENTOR_CFG["scheduler"]["min_lr"] = 0.0001
