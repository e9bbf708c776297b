"""UPerNet, BEiT-Base, ADE20k, 640x640, 130 epochs. Published mIoU: 53.12 %."""

from .._base_ import experiment
from .._base_.inference import slide

SEGMENTOR_CFG = experiment(
    __file__, "BEIT", dataset="ADE20k_640x640", dataloader="BS16", max_epochs=130, inference=slide(640)
)
