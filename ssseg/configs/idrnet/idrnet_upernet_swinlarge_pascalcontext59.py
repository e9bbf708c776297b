"""IDRNet with UPerNet, Swin-Large, PASCAL Context (59 classes), 640x640, 260 epochs. Published mIoU: 63.82 %."""

from .._base_ import experiment
from .._base_.inference import slide
from .._base_.schedules import adamw, linear_after_warmup, no_decay_in_swin
from .._base_.transformers import swin

SEGMENTOR_CFG = experiment(
    __file__,
    "IDRNET",
    dataset="PASCALCONTEXT59_640x640",
    dataloader="BS16",
    max_epochs=260,
    backbone=swin("large"),
    optimizer=adamw(params_rules=no_decay_in_swin()),
    scheduler=linear_after_warmup(),
    inference=slide(640),
)
SEGMENTOR_CFG["head"]["coarse_context"] = {"type": "aspp", "dilations": [1, 12, 24, 36]}
SEGMENTOR_CFG["head"]["fpn"] = {"in_channels_list": [192, 384, 768, 1536], "out_channels": 1024, "feats_channels": 1024}
SEGMENTOR_CFG["head"]["in_channels"] = 1536
SEGMENTOR_CFG["head"]["use_sa_on_coarsecontext_after"] = True
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 768, "out_channels": 512, "dropout": 0.1}
