"""OCRNet, HRNetV2-W48, ADE20k, 512x512, 130 epochs. Published mIoU: 43.57 %."""

from .._base_ import experiment
from .._base_.backbones import hrnet

SEGMENTOR_CFG = experiment(
    __file__, "OCRNET", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, backbone=hrnet("w48")
)
SEGMENTOR_CFG["head"]["in_channels"] = 720
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 720, "out_channels": 512, "dropout": 0}
