"""DeepLabV3+, ResNeSt-101 at 1/8, ADE20k, 512x512, 130 epochs. Published mIoU: 46.48 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "RESNEST", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130)
SEGMENTOR_CFG["type"] = "Deeplabv3Plus"
SEGMENTOR_CFG["head"] = {
    "in_channels": [256, 2048],
    "shortcut_channels": 48,
    "feats_channels": 512,
    "dilations": [1, 12, 24, 36],
    "dropout": 0.1,
}
