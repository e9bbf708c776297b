"""IDRNet with UPerNet, ResNet-50 at 1/8, LIP, 473x473, 150 epochs. Published mIoU: 54.00 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "IDRNET",
    dataset="LIP_473x473",
    dataloader="BS32",
    max_epochs=150,
    backbone=resnet(50, outstride=8, selected_indices=(0, 1, 2, 3)),
)
SEGMENTOR_CFG["head"]["coarse_context"] = {"type": "ppm", "pool_scales": [1, 2, 3, 6]}
SEGMENTOR_CFG["head"]["fpn"] = {"in_channels_list": [256, 512, 1024, 2048], "out_channels": 512, "feats_channels": 512}
