"""MCIBI++, ResNet-50 at 1/8, COCO-Stuff 10k, 512x512, 110 epochs. Published mIoU: 37.38 %."""

from .._base_ import experiment
from .._base_.backbones import resnet
from .._base_.losses import cross_entropy
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
SEGMENTOR_CFG["losses"] = {"loss_aux": cross_entropy(0.4), "loss_cls": cross_entropy(), "loss_pr": cross_entropy(0.4)}
