"""LR-ASPP, MobileNetV3-Large at 1/8, ADE20k, 512x512, 390 epochs. Published mIoU: 30.06 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "LRASPPNET", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=390)
