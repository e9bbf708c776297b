"""MCIBI++ with UPerNet, Swin-Large, COCO-Stuff 10k, 512x512, 150 epochs. Published mIoU: 49.11 %."""

from .._base_ import experiment
from .._base_.inference import slide
from .._base_.schedules import adamw, linear_after_warmup, no_decay_in_swin
from .._base_.transformers import swin

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBIPLUSPLUS",
    dataset="COCOStuff10k_512x512",
    dataloader="BS16",
    max_epochs=150,
    backbone=swin("large"),
    optimizer=adamw(params_rules=no_decay_in_swin()),
    scheduler=linear_after_warmup(),
    inference=slide(512),
)
SEGMENTOR_CFG["head"]["context_within_image"]["is_on"] = True
SEGMENTOR_CFG["head"]["context_within_image"]["use_self_attention"] = False
SEGMENTOR_CFG["head"]["decoder"]["cls"] = {
    "in_channels": 2560,
    "out_channels": 512,
    "kernel_size": 3,
    "padding": 1,
    "dropout": 0.1,
}
SEGMENTOR_CFG["head"]["fpn"] = {"in_channels_list": [192, 384, 768, 1536], "out_channels": 512, "feats_channels": 1024}
SEGMENTOR_CFG["head"]["in_channels"] = 1536
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 768, "out_channels": 512, "dropout": 0.1}
