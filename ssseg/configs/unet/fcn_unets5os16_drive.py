"""FCN, U-Net, DRIVE, 64x64, 1 epoch."""

from .._base_ import experiment
from .._base_.inference import slide

SEGMENTOR_CFG = experiment(
    __file__, "UNET", dataset="DRIVE_64x64", dataloader="BS16", max_epochs=1, inference=slide(64)
)
