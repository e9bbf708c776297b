"""OCRNet, HRNetV2-W18-Small, ADE20k, 512x512, 130 epochs. Published mIoU: 37.35 %."""

from .._base_ import experiment
from .._base_.backbones import hrnet

SEGMENTOR_CFG = experiment(
    __file__, "OCRNET", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, backbone=hrnet("w18_small")
)
