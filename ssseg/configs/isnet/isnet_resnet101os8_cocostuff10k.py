"""ISNet, ResNet-101 at 1/8, COCO-Stuff 10k, 512x512, 110 epochs. Published mIoU: 40.53 %."""

from .._base_ import experiment
from .._base_.backbones import resnet
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "ISNET",
    dataset="COCOStuff10k_512x512",
    dataloader="BS16",
    max_epochs=110,
    backbone=resnet(101, outstride=8, selected_indices=(0, 1, 2, 3)),
    optimizer=sgd(0.001, weight_decay=0.0001),
)
