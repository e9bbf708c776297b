"""LR-ASPP, MobileNetV3-Large at 1/8, PASCAL VOC (augmented set), 512x512, 180 epochs. Published mIoU: 67.90 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "LRASPPNET", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=180)
