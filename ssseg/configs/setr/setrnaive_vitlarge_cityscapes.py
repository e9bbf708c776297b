"""SETR-Naive, ViT-Large, Cityscapes, 768x768, 220 epochs. Published mIoU: 78.44 %."""

from .._base_ import experiment
from .._base_.inference import slide
from .._base_.schedules import backbone_tenth, sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "SETR",
    dataset="CITYSCAPES_768x768",
    dataloader="BS8",
    max_epochs=220,
    optimizer=sgd(0.1, weight_decay=0.0, params_rules=backbone_tenth()),
    inference=slide(768),
)
SEGMENTOR_CFG["backbone"]["img_size"] = (768, 768)
SEGMENTOR_CFG["backbone"]["patch_bias"] = False
SEGMENTOR_CFG["head"]["kernel_size"] = 1
SEGMENTOR_CFG["head"]["num_convs"] = 1
SEGMENTOR_CFG["head"]["scale_factor"] = 4
SEGMENTOR_CFG["auxiliary"] = [
    {"in_channels": 1024, "out_channels": 256, "kernel_size": 1, "num_convs": 1, "dropout": 0, "scale_factor": 4},
    {"in_channels": 1024, "out_channels": 256, "kernel_size": 1, "num_convs": 1, "dropout": 0, "scale_factor": 4},
    {"in_channels": 1024, "out_channels": 256, "kernel_size": 1, "num_convs": 1, "dropout": 0, "scale_factor": 4},
]
