"""DeepLabV3, ResNet-50 at 1/8, PASCAL Context (60 classes), 480x480, 260 epochs. Published mIoU: 46.31 %."""

from .._base_ import experiment
from .._base_.backbones import resnet
from .._base_.inference import slide
from .._base_.schedules import sgd

SEGMENTOR_CFG = experiment(
    __file__,
    "DEEPLABV3",
    dataset="PASCALCONTEXT_480x480",
    dataloader="BS16",
    max_epochs=260,
    backbone=resnet(50, outstride=8),
    optimizer=sgd(0.004, weight_decay=0.0001),
    inference=slide(480),
)
SEGMENTOR_CFG["head"]["dilations"] = [1, 12, 24, 36]
