"""Mask2Former, Swin-Large, ADE20k, 640x640, 130 epochs. Published mIoU: 56.30 %."""

from .._base_ import experiment
from .._base_.transformers import swin

SEGMENTOR_CFG = experiment(
    __file__, "MASK2FORMER", dataset="ADE20k_640x640", dataloader="BS16", max_epochs=130, backbone=swin("large")
)
SEGMENTOR_CFG["head"]["pixel_decoder"]["input_shape"]["in_channels"] = [192, 384, 768, 1536]
SEGMENTOR_CFG["scheduler"]["clipgrad_cfg"] = {"max_norm": 0.01, "norm_type": 2}
SEGMENTOR_CFG["scheduler"]["min_lr"] = 0.0
SEGMENTOR_CFG["dataset"]["train"]["data_pipelines"][0] = (
    "RandomChoiceResize",
    {
        "max_size": 2048,
        "resize_type": "ResizeShortestEdge",
        "scales": [256, 307, 358, 409, 460, 512, 563, 614, 665, 716, 768, 819, 870, 921, 972, 1024],
    },
)
