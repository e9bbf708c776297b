"""MCIBI++ with PPM, ResNet-50 at 1/8, ADE20k, 512x512, 130 epochs. Published mIoU: 43.88 %."""

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
SEGMENTOR_CFG["head"]["context_within_image"]["type"] = "ppm"
SEGMENTOR_CFG["head"]["decoder"]["cls"]["in_channels"] = 1024
SEGMENTOR_CFG["head"]["force_use_preds_pr"] = True
