"""Mask2Former, Swin-Tiny, ADE20k, 512x512, 130 epochs. Published mIoU: 49.20 %."""

from .._base_ import experiment
from .._base_.schedules import mask2former_rules
from .._base_.transformers import swin

SEGMENTOR_CFG = experiment(
    __file__, "MASK2FORMER", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, backbone=swin("tiny")
)
SEGMENTOR_CFG["head"]["pixel_decoder"]["input_shape"]["in_channels"] = [96, 192, 384, 768]
SEGMENTOR_CFG["scheduler"]["clipgrad_cfg"] = {"max_norm": 0.01, "norm_type": 2}
SEGMENTOR_CFG["scheduler"]["min_lr"] = 0.0
SEGMENTOR_CFG["scheduler"]["optimizer"]["params_rules"] = mask2former_rules((2, 2, 6, 2))
SEGMENTOR_CFG["dataset"]["train"]["data_pipelines"][0] = (
    "RandomChoiceResize",
    {
        "max_size": 2048,
        "resize_type": "ResizeShortestEdge",
        "scales": [256, 307, 358, 409, 460, 512, 563, 614, 665, 716, 768, 819, 870, 921, 972, 1024],
    },
)
