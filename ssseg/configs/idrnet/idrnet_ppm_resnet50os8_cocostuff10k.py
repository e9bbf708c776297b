"""IDRNet with PPM, ResNet-50 at 1/8, COCO-Stuff 10k, 512x512, 110 epochs. Published mIoU: 39.13 %."""

from .._base_ import experiment
from .._base_.backbones import resnet
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "IDRNET",
    dataset="COCOStuff10k_512x512",
    dataloader="BS16",
    max_epochs=110,
    backbone=resnet(50, outstride=8),
    optimizer=sgd(0.001, weight_decay=0.0001),
)
SEGMENTOR_CFG["head"]["coarse_context"] = {"type": "ppm", "pool_scales": [1, 2, 3, 6]}
SEGMENTOR_CFG["head"]["use_sa_on_coarsecontext_before"] = True
