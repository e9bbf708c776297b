"""PSPNet, ResNeSt-101 at 1/8, Cityscapes, 512x1024, 220 epochs. Published mIoU: 78.70 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "RESNEST", dataset="CITYSCAPES_512x1024", dataloader="BS8", max_epochs=220)
SEGMENTOR_CFG["type"] = "PSPNet"
SEGMENTOR_CFG["head"]["pool_scales"] = [1, 2, 3, 6]
