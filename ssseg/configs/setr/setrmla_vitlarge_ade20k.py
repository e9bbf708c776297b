"""SETR-MLA, ViT-Large, ADE20k, 512x512, 130 epochs. Published mIoU: 49.60 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "SETR", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130)
SEGMENTOR_CFG["type"] = "SETRMLA"
SEGMENTOR_CFG["head"] = {
    "in_channels_list": [1024, 1024, 1024, 1024],
    "feats_channels": 512,
    "scale_factor": 4,
    "mla_feats_channels": 256,
    "mla_up_channels": 128,
    "dropout": 0,
    "norm_cfg": {"type": "LayerNorm", "eps": 1e-06},
}
SEGMENTOR_CFG["auxiliary"] = [
    {"in_channels": 256, "out_channels": 256, "kernel_size": 3, "num_convs": 2, "dropout": 0, "scale_factor": 4},
    {"in_channels": 256, "out_channels": 256, "kernel_size": 3, "num_convs": 2, "dropout": 0, "scale_factor": 4},
    {"in_channels": 256, "out_channels": 256, "kernel_size": 3, "num_convs": 2, "dropout": 0, "scale_factor": 4},
]
