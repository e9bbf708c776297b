"""LR-ASPP, MobileNetV3-Large at 1/8, Cityscapes, 512x1024, 660 epochs. Published mIoU: 69.98 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "LRASPPNET", dataset="CITYSCAPES_512x1024", dataloader="BS16", max_epochs=660)
