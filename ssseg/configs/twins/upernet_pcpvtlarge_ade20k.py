"""UPerNet, Twins-PCPVT-Large, ADE20k, 512x512, 130 epochs. Published mIoU: 49.35 %."""

from .._base_ import experiment
from .._base_.transformers import pcpvt

SEGMENTOR_CFG = experiment(
    __file__, "TWINS", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, backbone=pcpvt("large")
)
