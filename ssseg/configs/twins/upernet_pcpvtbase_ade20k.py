"""UPerNet, Twins-PCPVT-Base, ADE20k, 512x512, 130 epochs. Published mIoU: 48.06 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "TWINS", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130)
