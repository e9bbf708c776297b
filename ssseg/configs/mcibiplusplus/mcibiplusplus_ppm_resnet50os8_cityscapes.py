"""MCIBI++ with PPM, ResNet-50 at 1/8, Cityscapes, 512x1024, 220 epochs. Published mIoU: 79.91 %."""

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
SEGMENTOR_CFG["head"]["decoder"] = {
    "pr": {"in_channels": 512, "out_channels": 512, "kernel_size": 3, "padding": 1, "dropout": 0.1},
    "cwi": {"in_channels": 512, "out_channels": 512, "kernel_size": 3, "padding": 1, "dropout": 0.1},
    "cls": {"in_channels": 1024, "out_channels": 512, "kernel_size": 3, "padding": 1, "dropout": 0.1},
}
