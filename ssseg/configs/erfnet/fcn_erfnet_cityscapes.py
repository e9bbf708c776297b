"""FCN, ERFNet, Cityscapes, 1024x1024, 860 epochs. Published mIoU: 76.18 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "ERFNET", dataset="CITYSCAPES_1024x1024", dataloader="BS16", max_epochs=860)
