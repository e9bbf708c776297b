"""DeepLabV3, MobileNetV2 at 1/8, Cityscapes, 512x1024, 220 epochs. Published mIoU: 76.74 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "MOBILENETV2", dataset="CITYSCAPES_512x1024", dataloader="BS8", max_epochs=220)
SEGMENTOR_CFG["type"] = "Deeplabv3"
SEGMENTOR_CFG["head"]["dilations"] = [1, 12, 24, 36]
