"""MCIBI++, ResNet-50 at 1/8, Cityscapes, 512x1024, 220 epochs. Published mIoU: 78.77 %."""

from .._base_ import experiment
from .._base_.backbones import resnet
from .._base_.losses import cross_entropy

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS8",
    max_epochs=220,
    backbone=resnet(50, outstride=8, selected_indices=(0, 1, 2, 3)),
)
SEGMENTOR_CFG["losses"] = {"loss_aux": cross_entropy(0.4), "loss_cls": cross_entropy(), "loss_pr": cross_entropy(0.4)}
