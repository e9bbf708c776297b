"""MCIBI++ with UPerNet, Swin-Large, ADE20k, 640x640, 130 epochs. Published mIoU: 53.48 %."""

from .._base_ import experiment
from .._base_.inference import slide
from .._base_.schedules import adamw, linear_after_warmup, no_decay_in_swin
from .._base_.transformers import swin

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="ADE20k_640x640",
    dataloader="BS16",
    max_epochs=130,
    backbone=swin("large"),
    optimizer=adamw(params_rules=no_decay_in_swin()),
    scheduler=linear_after_warmup(),
    inference=slide(640),
)
SEGMENTOR_CFG["head"]["context_within_image"]["is_on"] = True
SEGMENTOR_CFG["head"]["context_within_image"]["use_self_attention"] = True
SEGMENTOR_CFG["head"]["decoder"]["cls"] = {
    "in_channels": 2560,
    "out_channels": 512,
    "kernel_size": 3,
    "padding": 1,
    "dropout": 0.1,
}
SEGMENTOR_CFG["head"]["fpn"] = {"in_channels_list": [192, 384, 768, 1024], "out_channels": 512, "feats_channels": 1024}
SEGMENTOR_CFG["head"]["in_channels"] = 1536
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 768, "out_channels": 512, "dropout": 0.1}
