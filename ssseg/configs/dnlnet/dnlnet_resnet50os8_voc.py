"""DNLNet, ResNet-50 at 1/8, PASCAL VOC (augmented set), 512x512, 60 epochs. Published mIoU: 76.73 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__, "DNLNET", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=60, backbone=resnet(50, outstride=8)
)
