"""ICNet, ResNet-50 at 1/8, Cityscapes, 832x832, 440 epochs. Published mIoU: 76.60 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "ICNET", dataset="CITYSCAPES_832x832", dataloader="BS8", max_epochs=440)
SEGMENTOR_CFG["backbone"]["depth"] = 50
SEGMENTOR_CFG["backbone"]["structure_type"] = "resnet50conv3x3stem"
