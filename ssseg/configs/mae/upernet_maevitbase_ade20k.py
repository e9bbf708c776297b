"""UPerNet, MAE ViT-Base, ADE20k, 512x512, 130 epochs. Published mIoU: 48.20 %."""

from .._base_ import experiment
from .._base_.inference import slide

SEGMENTOR_CFG = experiment(
    __file__, "MAE", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, inference=slide(512)
)
