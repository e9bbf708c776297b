"""MCIBI++, ResNet-50 at 1/8, ADE20k, 512x512, 130 epochs. Published mIoU: 43.39 %."""

from .._base_ import experiment
from .._base_.backbones import resnet
from .._base_.losses import cross_entropy

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="ADE20k_512x512",
    dataloader="BS16",
    max_epochs=130,
    backbone=resnet(50, outstride=8, selected_indices=(0, 1, 2, 3)),
)
SEGMENTOR_CFG["losses"] = {"loss_aux": cross_entropy(0.4), "loss_cls": cross_entropy(), "loss_pr": cross_entropy(0.4)}
