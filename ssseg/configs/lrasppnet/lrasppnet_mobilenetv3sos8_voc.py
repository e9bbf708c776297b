"""LR-ASPP, MobileNetV3-Small at 1/8, PASCAL VOC (augmented set), 512x512, 180 epochs. Published mIoU: 62.13 %."""

from .._base_ import experiment
from .._base_.backbones import mobilenetv3

SEGMENTOR_CFG = experiment(
    __file__, "LRASPPNET", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=180, backbone=mobilenetv3("small")
)
SEGMENTOR_CFG["head"]["in_channels_list"] = [16, 16, 576]
