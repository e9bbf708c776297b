"""PSPNet, U-Net, HRF, 256x256, 1 epoch."""

from .._base_ import experiment
from .._base_.inference import slide

SEGMENTOR_CFG = experiment(
    __file__, "UNET", dataset="HRF_256x256", dataloader="BS16", max_epochs=1, inference=slide(256)
)
SEGMENTOR_CFG["type"] = "PSPNet"
SEGMENTOR_CFG["head"]["feats_channels"] = 16
SEGMENTOR_CFG["head"]["pool_scales"] = [1, 2, 3, 6]
