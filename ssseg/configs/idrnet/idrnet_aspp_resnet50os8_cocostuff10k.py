"""IDRNet with ASPP, ResNet-50 at 1/8, COCO-Stuff 10k, 512x512, 110 epochs. Published mIoU: 39.31 %."""

from .._base_ import experiment
from .._base_.backbones import resnet
from .._base_.inference import whole
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "IDRNET",
    dataset="COCOStuff10k_512x512",
    dataloader="BS16",
    max_epochs=110,
    backbone=resnet(50, outstride=8),
    optimizer=sgd(0.001, weight_decay=0.0001),
    inference=whole(probs_first=True),
)
SEGMENTOR_CFG["head"]["coarse_context"] = {"type": "aspp", "dilations": [1, 12, 24, 36]}
SEGMENTOR_CFG["head"]["use_sa_on_coarsecontext_before"] = True
