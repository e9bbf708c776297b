"""MCIBI with DeepLabV3, ViT-Large, COCO-Stuff 10k, 512x512, 110 epochs. Published mIoU: 44.27 %."""

from .._base_ import experiment
from .._base_.inference import slide
from .._base_.losses import cross_entropy
from .._base_.schedules import backbone_tenth, sgd
from .._base_.transformers import vit_large

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBI",
    dataset="COCOStuff10k_512x512",
    dataloader="BS16",
    max_epochs=110,
    backbone=vit_large(512),
    optimizer=sgd(0.001, weight_decay=0.0, params_rules=backbone_tenth()),
    inference=slide(512),
)
SEGMENTOR_CFG["head"]["in_channels"] = 1024
SEGMENTOR_CFG["head"]["norm_cfg"] = {"type": "LayerNorm", "in_channels_list": [1024, 1024, 1024, 1024], "eps": 1e-06}
SEGMENTOR_CFG["head"]["update_cfg"]["momentum_cfg"]["base_lr"] = 0.0009000000000000001
SEGMENTOR_CFG["head"]["use_loss"] = False
SEGMENTOR_CFG["auxiliary"] = [
    {"in_channels": 1024, "out_channels": 512, "num_convs": 2, "dropout": 0.1, "upsample": {"scale_factor": 4}},
    {"in_channels": 1024, "out_channels": 512, "num_convs": 2, "dropout": 0.1, "upsample": {"scale_factor": 4}},
    {"in_channels": 1024, "out_channels": 512, "num_convs": 2, "dropout": 0.1, "upsample": {"scale_factor": 4}},
]
SEGMENTOR_CFG["losses"] = {
    "loss_aux1": cross_entropy(0.4),
    "loss_aux2": cross_entropy(0.4),
    "loss_aux3": cross_entropy(0.4),
    "loss_cls_stage1": cross_entropy(0.4),
    "loss_cls_stage2": cross_entropy(),
}
