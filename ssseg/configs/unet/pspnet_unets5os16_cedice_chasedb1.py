"""PSPNet, U-Net, CHASE_DB1, 128x128, 1 epoch, cross entropy and Dice loss."""

from .._base_ import experiment
from .._base_.inference import slide
from .._base_.losses import cross_entropy, dice

SEGMENTOR_CFG = experiment(
    __file__, "UNET", dataset="CHASEDB1_128x128", dataloader="BS16", max_epochs=1, inference=slide(128)
)
SEGMENTOR_CFG["type"] = "PSPNet"
SEGMENTOR_CFG["head"]["feats_channels"] = 16
SEGMENTOR_CFG["head"]["pool_scales"] = [1, 2, 3, 6]
SEGMENTOR_CFG["losses"]["loss_cls"] = [cross_entropy(), dice(3.0)]
