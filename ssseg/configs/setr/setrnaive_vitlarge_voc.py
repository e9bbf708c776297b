"""SETR-Naive, ViT-Large, PASCAL VOC (augmented set), 512x512, 60 epochs. Published mIoU: 84.54 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "SETR", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=60)
SEGMENTOR_CFG["head"]["num_convs"] = 2
SEGMENTOR_CFG["head"]["scale_factor"] = 4
SEGMENTOR_CFG["auxiliary"] = [
    {"in_channels": 1024, "out_channels": 256, "kernel_size": 3, "num_convs": 2, "dropout": 0, "scale_factor": 4},
    {"in_channels": 1024, "out_channels": 256, "kernel_size": 3, "num_convs": 2, "dropout": 0, "scale_factor": 4},
    {"in_channels": 1024, "out_channels": 256, "kernel_size": 3, "num_convs": 2, "dropout": 0, "scale_factor": 4},
]
