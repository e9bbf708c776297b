"""DeepLabV3+, MobileNetV2 at 1/8, PASCAL VOC (augmented set), 512x512, 60 epochs. Published mIoU: 70.04 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "MOBILENETV2", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=60)
SEGMENTOR_CFG["type"] = "Deeplabv3Plus"
SEGMENTOR_CFG["head"] = {
    "in_channels": [24, 320],
    "shortcut_channels": 48,
    "feats_channels": 512,
    "dilations": [1, 12, 24, 36],
    "dropout": 0.1,
}
