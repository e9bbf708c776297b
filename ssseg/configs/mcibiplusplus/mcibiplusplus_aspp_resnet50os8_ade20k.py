"""MCIBI++ with ASPP, ResNet-50 at 1/8, ADE20k, 512x512, 130 epochs. Published mIoU: 44.85 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="ADE20k_512x512",
    dataloader="BS16",
    max_epochs=130,
    backbone=resnet(50, outstride=8, selected_indices=(0, 1, 2, 3)),
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
