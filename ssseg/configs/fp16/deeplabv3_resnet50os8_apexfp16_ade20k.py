"""DeepLabV3, ResNet-50 at 1/8, ADE20k, 512x512, 130 epochs, mixed precision. Published mIoU: 43.54 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__, "FP16", dataset="ADE20k_512x512", dataloader="BS16", max_epochs=130, backbone=resnet(50, outstride=8)
)
SEGMENTOR_CFG["type"] = "Deeplabv3"
SEGMENTOR_CFG["head"]["dilations"] = [1, 12, 24, 36]
