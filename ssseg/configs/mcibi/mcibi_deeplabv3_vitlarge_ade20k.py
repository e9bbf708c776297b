"""MCIBI with DeepLabV3, ViT-Large, ADE20k, 512x512, 130 epochs. Published mIoU: 50.08 %."""

from .._base_ import experiment
from .._base_.inference import slide
from .._base_.losses import cross_entropy
from .._base_.schedules import backbone_tenth, sgd
from .._base_.transformers import vit_large

SEGMENTOR_CFG = experiment(
    __file__,
    "MCIBI",
    dataset="ADE20k_512x512",
    dataloader="BS16",
    max_epochs=130,
    backbone=vit_large(512),
    optimizer=sgd(weight_decay=0.0, params_rules=backbone_tenth()),
    inference=slide(512),
)
SEGMENTOR_CFG["head"]["context_within_image"]["cfg"]["dilations"] = [1, 6, 12, 18]
SEGMENTOR_CFG["head"]["in_channels"] = 1024
SEGMENTOR_CFG["head"]["norm_cfg"] = {"type": "LayerNorm", "in_channels_list": [1024, 1024, 1024, 1024], "eps": 1e-06}
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
