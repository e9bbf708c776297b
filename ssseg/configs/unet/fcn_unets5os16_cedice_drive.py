"""FCN, U-Net, DRIVE, 64x64, 1 epoch, cross entropy and Dice loss."""

from .._base_ import experiment
from .._base_.inference import slide
from .._base_.losses import cross_entropy, dice

SEGMENTOR_CFG = experiment(
    __file__, "UNET", dataset="DRIVE_64x64", dataloader="BS16", max_epochs=1, inference=slide(64)
)
SEGMENTOR_CFG["losses"]["loss_cls"] = [cross_entropy(), dice(3.0)]
