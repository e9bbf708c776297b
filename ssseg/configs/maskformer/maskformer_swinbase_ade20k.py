"""MaskFormer, Swin-Base, ADE20k, 640x640, 130 epochs. Published mIoU: 53.22 %."""

from .._base_ import experiment
from .._base_.schedules import linear_after_warmup

SEGMENTOR_CFG = experiment(
    __file__, "MASKFORMER", dataset="ADE20k_640x640", dataloader="BS16", max_epochs=130, scheduler=linear_after_warmup()
)
