"""LR-ASPP, MobileNetV3-Small at 1/8, ADE20k, 512x512, 390 epochs. Published mIoU: 26.09 %."""

from .._base_ import experiment
from .._base_.backbones import mobilenetv3

SEGMENTOR_CFG = experiment(
    __file__, "LRASPPNET", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=390, backbone=mobilenetv3("small")
)
SEGMENTOR_CFG["head"]["in_channels_list"] = [16, 16, 576]
