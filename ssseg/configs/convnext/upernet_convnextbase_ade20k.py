"""UPerNet, ConvNeXt-Base, ADE20k, 512x512, 130 epochs. Published mIoU: 48.97 %."""

from .._base_ import experiment
from .._base_.schedules import linear_after_warmup

SEGMENTOR_CFG = experiment(
    __file__, "CONVNEXT", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, scheduler=linear_after_warmup()
)
