"""SegFormer, MiT-B3, ADE20k, 512x512, 130 epochs. Published mIoU: 48.31 %."""

from .._base_ import experiment
from .._base_.transformers import mit

SEGMENTOR_CFG = experiment(
    __file__, "SEGFORMER", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, backbone=mit("b3")
)
SEGMENTOR_CFG["head"]["in_channels_list"] = [64, 128, 320, 512]
