"""SegFormer, MiT-B3, Cityscapes, 1024x1024, 440 epochs. Published mIoU: 81.99 %."""

from .._base_ import experiment
from .._base_.inference import slide
from .._base_.transformers import mit

SEGMENTOR_CFG = experiment(
    __file__,
    "SEGFORMER",
    dataset="CITYSCAPES_1024x1024",
    dataloader="BS8",
    max_epochs=440,
    backbone=mit("b3"),
    inference=slide(1024, stride=768),
)
SEGMENTOR_CFG["head"]["in_channels_list"] = [64, 128, 320, 512]
