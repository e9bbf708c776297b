"""DeepLabV3, U-Net, HRF, 256x256, 1 epoch."""

from .._base_ import experiment
from .._base_.inference import slide

SEGMENTOR_CFG = experiment(
    __file__, "UNET", dataset="HRF_256x256", dataloader="BS16", max_epochs=1, inference=slide(256)
)
SEGMENTOR_CFG["type"] = "Deeplabv3"
SEGMENTOR_CFG["head"]["dilations"] = [1, 6, 12, 18]
SEGMENTOR_CFG["head"]["feats_channels"] = 16
