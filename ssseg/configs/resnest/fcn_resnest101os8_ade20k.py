"""FCN, ResNeSt-101 at 1/8, ADE20k, 512x512, 130 epochs. Published mIoU: 45.74 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "RESNEST", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130)
