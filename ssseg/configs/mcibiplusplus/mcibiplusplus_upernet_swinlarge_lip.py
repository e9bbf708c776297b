"""MCIBI++ with UPerNet, Swin-Large, LIP, 473x473, 110 epochs. Published mIoU: 59.58 %."""

from .._base_ import experiment
from .._base_.schedules import adamw, linear_after_warmup, no_decay_in_swin
from .._base_.transformers import swin

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="LIP_473x473",
    dataloader="BS16",
    max_epochs=110,
    backbone=swin("large"),
    optimizer=adamw(params_rules=no_decay_in_swin()),
    scheduler=linear_after_warmup(),
)
SEGMENTOR_CFG["head"]["context_within_image"] = {
    "is_on": True,
    "type": "ppm",
    "cfg": {"dilations": [1, 12, 24, 36], "pool_scales": [1, 2, 3, 6]},
    "use_self_attention": False,
}
SEGMENTOR_CFG["head"]["decoder"]["cls"]["in_channels"] = 2560
SEGMENTOR_CFG["head"]["fpn"] = {"in_channels_list": [192, 384, 768, 1024], "out_channels": 512, "feats_channels": 1024}
SEGMENTOR_CFG["head"]["in_channels"] = 1536
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 768, "out_channels": 512, "dropout": 0.1}
