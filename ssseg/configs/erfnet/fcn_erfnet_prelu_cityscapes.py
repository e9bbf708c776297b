"""FCN, ERFNet with PReLU, Cityscapes, 1024x1024, 860 epochs. Published mIoU: 76.44 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "ERFNET", dataset="CITYSCAPES_1024x1024", dataloader="BS16", max_epochs=860)
SEGMENTOR_CFG["backbone"]["act_cfg"] = {"type": "PReLU"}
