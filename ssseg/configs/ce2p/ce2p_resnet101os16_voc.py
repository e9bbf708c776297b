"""CE2P, ResNet-101 at 1/16, PASCAL VOC (augmented set), 512x512, 60 epochs. Published mIoU: 76.84 %."""

from .._base_ import experiment
from .._base_.backbones import resnet

SEGMENTOR_CFG = experiment(
    __file__,
    "CE2P",
    dataset="VOCAUG_512x512",
    dataloader="BS16",
    max_epochs=60,
    backbone=resnet(101, outstride=16, selected_indices=(0, 1, 2, 3)),
)
SEGMENTOR_CFG["losses"]["loss_edge"]["norm_loss_with_class_weight"] = False
SEGMENTOR_CFG["dataset"]["train"]["data_pipelines"].insert(4, ("EdgeExtractor", {}))
