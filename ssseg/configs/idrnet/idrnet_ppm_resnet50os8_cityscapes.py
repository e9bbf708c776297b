"""IDRNet with PPM, ResNet-50 at 1/8, Cityscapes, 512x1024, 220 epochs. Published mIoU: 79.88 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "IDRNET",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS8",
    max_epochs=220,
    backbone=resnet(50, outstride=8),
)
SEGMENTOR_CFG["head"]["coarse_context"] = {"type": "ppm", "pool_scales": [1, 2, 3, 6]}
SEGMENTOR_CFG["head"]["feats_channels"] = 1024
SEGMENTOR_CFG["head"]["force_stage1_use_oripr"] = True
SEGMENTOR_CFG["head"]["use_sa_on_coarsecontext_after"] = True
