"""PSPNet, U-Net, STARE, 128x128, 1 epoch."""

from .._base_ import experiment
from .._base_.inference import slide

SEGMENTOR_CFG = experiment(
    __file__, "UNET", dataset="STARE_128x128", dataloader="BS16", max_epochs=1, inference=slide(128)
)
SEGMENTOR_CFG["type"] = "PSPNet"
SEGMENTOR_CFG["head"]["feats_channels"] = 16
SEGMENTOR_CFG["head"]["pool_scales"] = [1, 2, 3, 6]
