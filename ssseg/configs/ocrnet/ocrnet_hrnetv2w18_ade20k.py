"""OCRNet, HRNetV2-W18, ADE20k, 512x512, 130 epochs. Published mIoU: 40.83 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "OCRNET", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130)
