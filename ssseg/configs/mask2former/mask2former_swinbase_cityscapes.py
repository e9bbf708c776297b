"""Mask2Former, Swin-Base, Cityscapes, 512x1024, 500 epochs. Published mIoU: 83.62 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "MASK2FORMER", dataset="CITYSCAPES_512x1024", dataloader="BS16", max_epochs=500)
SEGMENTOR_CFG["scheduler"]["clipgrad_cfg"] = {"max_norm": 0.01, "norm_type": 2}
SEGMENTOR_CFG["scheduler"]["min_lr"] = 0.0
SEGMENTOR_CFG["dataset"]["train"]["data_pipelines"][0] = (
    "RandomChoiceResize",
    {
        "max_size": 4096,
        "resize_type": "ResizeShortestEdge",
        "scales": [512, 614, 716, 819, 921, 1024, 1126, 1228, 1331, 1433, 1536, 1638, 1740, 1843, 1945, 2048],
    },
)
