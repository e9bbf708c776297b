"""MCIBI++ with UPerNet, ResNet-50 at 1/8, Cityscapes, 512x1024, 220 epochs. Published mIoU: 80.05 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS8",
    max_epochs=220,
    backbone=resnet(50, outstride=8, selected_indices=(0, 1, 2, 3)),
)
SEGMENTOR_CFG["head"]["context_within_image"] = {
    "is_on": True,
    "type": "ppm",
    "cfg": {"dilations": [1, 12, 24, 36], "pool_scales": [1, 2, 3, 6]},
    "use_self_attention": False,
}
SEGMENTOR_CFG["head"]["decoder"]["cls"]["in_channels"] = 4096
SEGMENTOR_CFG["head"]["fpn"] = {
    "in_channels_list": [256, 512, 1024, 2048],
    "out_channels": 1024,
    "feats_channels": 1024,
}
