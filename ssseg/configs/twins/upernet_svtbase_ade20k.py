"""UPerNet, Twins-SVT-Base, ADE20k, 512x512, 130 epochs. Published mIoU: 48.05 %."""

from .._base_ import experiment
from .._base_.transformers import svt

SEGMENTOR_CFG = experiment(
    __file__, "TWINS", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, backbone=svt("base")
)
SEGMENTOR_CFG["head"]["in_channels_list"] = [96, 192, 384, 768]
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 384, "out_channels": 512, "dropout": 0.1}
