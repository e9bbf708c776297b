"""SegFormer, MiT-B1, PASCAL VOC (augmented set), 512x512, 60 epochs. Published mIoU: 77.46 %."""

from .._base_ import experiment
from .._base_.transformers import mit

SEGMENTOR_CFG = experiment(
    __file__, "SEGFORMER", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=60, backbone=mit("b1")
)
SEGMENTOR_CFG["head"]["in_channels_list"] = [64, 128, 320, 512]
