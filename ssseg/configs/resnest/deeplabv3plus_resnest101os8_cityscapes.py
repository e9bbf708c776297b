"""DeepLabV3+, ResNeSt-101 at 1/8, Cityscapes, 512x1024, 220 epochs. Published mIoU: 80.30 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "RESNEST", dataset="CITYSCAPES_512x1024", dataloader="BS8", max_epochs=220)
SEGMENTOR_CFG["type"] = "Deeplabv3Plus"
SEGMENTOR_CFG["head"] = {
    "in_channels": [256, 2048],
    "shortcut_channels": 48,
    "feats_channels": 512,
    "dilations": [1, 12, 24, 36],
    "dropout": 0.1,
}
