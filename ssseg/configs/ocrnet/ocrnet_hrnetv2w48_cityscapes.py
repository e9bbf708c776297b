"""OCRNet, HRNetV2-W48, Cityscapes, 512x1024, 440 epochs. Published mIoU: 81.56 %."""

from .._base_ import experiment
from .._base_.backbones import hrnet

SEGMENTOR_CFG = experiment(
    __file__, "OCRNET", dataset="CITYSCAPES_512x1024", dataloader="BS8", max_epochs=440, backbone=hrnet("w48")
)
SEGMENTOR_CFG["head"]["in_channels"] = 720
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 720, "out_channels": 512, "dropout": 0}
