"""MaskFormer, Swin-Tiny, ADE20k, 512x512, 130 epochs. Published mIoU: 47.31 %."""

from .._base_ import experiment
from .._base_.schedules import linear_after_warmup
from .._base_.transformers import swin

SEGMENTOR_CFG = experiment(
    __file__,
    "MASKFORMER",
    dataset="ADE20k_512x512",
    dataloader="BS16",
    max_epochs=130,
    backbone=swin("tiny"),
    scheduler=linear_after_warmup(),
)
SEGMENTOR_CFG["head"]["in_channels_list"] = [96, 192, 384, 768]
