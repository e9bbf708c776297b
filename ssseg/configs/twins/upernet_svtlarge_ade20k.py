"""UPerNet, Twins-SVT-Large, ADE20k, 512x512, 130 epochs. Published mIoU: 49.80 %."""

from .._base_ import experiment
from .._base_.transformers import svt

SEGMENTOR_CFG = experiment(
    __file__, "TWINS", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, backbone=svt("large")
)
SEGMENTOR_CFG["head"]["in_channels_list"] = [128, 256, 512, 1024]
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 512, "out_channels": 512, "dropout": 0.1}
