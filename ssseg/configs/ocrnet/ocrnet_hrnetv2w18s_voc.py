"""OCRNet, HRNetV2-W18-Small, PASCAL VOC (augmented set), 512x512, 60 epochs. Published mIoU: 72.80 %."""

from .._base_ import experiment
from .._base_.backbones import hrnet

SEGMENTOR_CFG = experiment(
    __file__, "OCRNET", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=60, backbone=hrnet("w18_small")
)
