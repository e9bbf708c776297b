"""OCRNet, ResNet-50 at 1/8, PASCAL VOC (augmented set), 512x512, 60 epochs. Published mIoU: 76.75 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__, "OCRNET", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=60, backbone=resnet(50, outstride=8)
)
SEGMENTOR_CFG["head"]["in_channels"] = 2048
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 1024, "out_channels": 512, "dropout": 0}
