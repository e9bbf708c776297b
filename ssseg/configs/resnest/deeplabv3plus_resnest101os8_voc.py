"""DeepLabV3+, ResNeSt-101 at 1/8, PASCAL VOC (augmented set), 512x512, 60 epochs. Published mIoU: 79.76 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "RESNEST", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=60)
SEGMENTOR_CFG["type"] = "Deeplabv3Plus"
SEGMENTOR_CFG["head"] = {
    "in_channels": [256, 2048],
    "shortcut_channels": 48,
    "feats_channels": 512,
    "dilations": [1, 12, 24, 36],
    "dropout": 0.1,
}
