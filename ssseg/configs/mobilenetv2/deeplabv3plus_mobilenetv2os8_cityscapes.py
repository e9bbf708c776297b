"""DeepLabV3+, MobileNetV2 at 1/8, Cityscapes, 512x1024, 220 epochs. Published mIoU: 76.68 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "MOBILENETV2", dataset="CITYSCAPES_512x1024", dataloader="BS8", max_epochs=220)
SEGMENTOR_CFG["type"] = "Deeplabv3Plus"
SEGMENTOR_CFG["head"] = {
    "in_channels": [24, 320],
    "shortcut_channels": 48,
    "feats_channels": 512,
    "dilations": [1, 12, 24, 36],
    "dropout": 0.1,
}
