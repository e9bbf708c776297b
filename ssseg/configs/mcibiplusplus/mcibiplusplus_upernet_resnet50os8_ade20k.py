"""MCIBI++ with UPerNet, ResNet-50 at 1/8, ADE20k, 512x512, 130 epochs. Published mIoU: 44.30 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="ADE20k_512x512",
    dataloader="BS16",
    max_epochs=130,
    backbone=resnet(50, outstride=8, selected_indices=(0, 1, 2, 3)),
)
SEGMENTOR_CFG["head"]["context_within_image"] = {
    "is_on": True,
    "type": "ppm",
    "cfg": {"dilations": [1, 12, 24, 36], "pool_scales": [1, 2, 3, 6]},
    "use_self_attention": False,
}
SEGMENTOR_CFG["head"]["decoder"]["cls"] = {
    "in_channels": 2560,
    "out_channels": 512,
    "kernel_size": 3,
    "padding": 1,
    "dropout": 0.1,
}
SEGMENTOR_CFG["head"]["fpn"] = {"in_channels_list": [256, 512, 1024, 2048], "out_channels": 512, "feats_channels": 1024}
