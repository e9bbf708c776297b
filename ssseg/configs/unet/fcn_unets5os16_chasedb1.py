"""FCN, U-Net, CHASE_DB1, 128x128, 1 epoch."""

from .._base_ import experiment
from .._base_.inference import slide

SEGMENTOR_CFG = experiment(
    __file__, "UNET", dataset="CHASEDB1_128x128", dataloader="BS16", max_epochs=1, inference=slide(128)
)
