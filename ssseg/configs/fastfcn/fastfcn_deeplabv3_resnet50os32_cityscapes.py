"""FastFCN with DeepLabV3, ResNet-50 at 1/32, Cityscapes, 512x1024, 220 epochs. Published mIoU: 79.96 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "FASTFCN",
    dataset="CITYSCAPES_512x1024",
    dataloader="BS8",
    max_epochs=220,
    backbone=resnet(50, outstride=32, selected_indices=(1, 2, 3)),
)
SEGMENTOR_CFG["type"] = "FastFCN"
SEGMENTOR_CFG["norm_cfg"] = {"type": "SyncBatchNorm"}
SEGMENTOR_CFG["act_cfg"] = {"type": "ReLU", "inplace": True}
SEGMENTOR_CFG["segmentor"] = "Deeplabv3"
SEGMENTOR_CFG["head"] = {
    "in_channels": 2048,
    "feats_channels": 512,
    "dilations": [1, 12, 24, 36],
    "dropout": 0.1,
    "jpu": {"in_channels_list": [512, 1024, 2048], "mid_channels": 512, "dilations": [1, 2, 4, 8]},
}
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 1024, "out_channels": 512, "dropout": 0.1}
SEGMENTOR_CFG["align_corners"] = False
SEGMENTOR_CFG["benchmark"] = True
