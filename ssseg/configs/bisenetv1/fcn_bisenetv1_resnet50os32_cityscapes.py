"""FCN, BiSeNetV1 on ResNet-50, Cityscapes, 1024x1024, 860 epochs. Published mIoU: 77.78 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "BISENETV1", dataset="CITYSCAPES_1024x1024", dataloader="BS16", max_epochs=860)
