"""FCN, BiSeNetV2, Cityscapes, 1024x1024, 860 epochs. Published mIoU: 74.62 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "BISENETV2", dataset="CITYSCAPES_1024x1024", dataloader="BS16", max_epochs=860)
