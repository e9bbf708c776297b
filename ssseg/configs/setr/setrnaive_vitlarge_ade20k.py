"""SETR-Naive, ViT-Large, ADE20k, 512x512, 130 epochs. Published mIoU: 48.36 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "SETR", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130)
SEGMENTOR_CFG["head"]["num_convs"] = 2
SEGMENTOR_CFG["head"]["scale_factor"] = 4
SEGMENTOR_CFG["auxiliary"] = [
    {"in_channels": 1024, "out_channels": 256, "kernel_size": 3, "num_convs": 2, "dropout": 0, "scale_factor": 4},
    {"in_channels": 1024, "out_channels": 256, "kernel_size": 3, "num_convs": 2, "dropout": 0, "scale_factor": 4},
    {"in_channels": 1024, "out_channels": 256, "kernel_size": 3, "num_convs": 2, "dropout": 0, "scale_factor": 4},
]
