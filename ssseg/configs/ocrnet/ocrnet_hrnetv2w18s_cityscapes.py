"""OCRNet, HRNetV2-W18-Small, Cityscapes, 512x1024, 440 epochs. Published mIoU: 79.02 %."""

from .._base_ import experiment
from .._base_.backbones import hrnet

SEGMENTOR_CFG = experiment(
    __file__, "OCRNET", dataset="CITYSCAPES_512x1024", dataloader="BS8", max_epochs=440, backbone=hrnet("w18_small")
)
