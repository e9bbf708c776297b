"""UPerNet, Swin-Base, ADE20k, 512x512, 130 epochs. Published mIoU: 51.02 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "SWIN", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130)
