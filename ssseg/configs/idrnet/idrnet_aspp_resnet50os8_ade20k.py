"""IDRNet with ASPP, ResNet-50 at 1/8, ADE20k, 512x512, 130 epochs. Published mIoU: 44.75 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__, "IDRNET", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, backbone=resnet(50, outstride=8)
)
SEGMENTOR_CFG["head"]["coarse_context"] = {"type": "aspp", "dilations": [1, 12, 24, 36]}
SEGMENTOR_CFG["head"]["use_sa_on_coarsecontext_after"] = True
