"""FCN of depthwise separable convolutions, Fast-SCNN, Cityscapes, 512x1024, 1750 epochs. Published mIoU: 71.53 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "FASTSCNN", dataset="CITYSCAPES_512x1024", dataloader="BS32", max_epochs=1750)
