"""OCRNet, HRNetV2-W18, Cityscapes, 512x1024, 440 epochs. Published mIoU: 80.77 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "OCRNET", dataset="CITYSCAPES_512x1024", dataloader="BS8", max_epochs=440)
