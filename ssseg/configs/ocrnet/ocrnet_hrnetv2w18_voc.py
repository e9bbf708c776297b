"""OCRNet, HRNetV2-W18, PASCAL VOC (augmented set), 512x512, 60 epochs. Published mIoU: 75.19 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "OCRNET", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=60)
