"""FCN, U-Net, HRF, 256x256, 1 epoch."""

from .._base_ import experiment
from .._base_.inference import slide

SEGMENTOR_CFG = experiment(
    __file__, "UNET", dataset="HRF_256x256", dataloader="BS16", max_epochs=1, inference=slide(256)
)
