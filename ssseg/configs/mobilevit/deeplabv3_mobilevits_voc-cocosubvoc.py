"""DeepLabV3, MobileViT-S, PASCAL VOC (augmented set) and its classes in COCO, 512x512, 50 epochs."""

from .._base_ import experiment
from .._base_.joined import joined

SEGMENTOR_CFG = experiment(
    __file__,
    "MOBILEVIT",
    dataset=joined(
        train={"VOCDataset": "VOCAUG_MOBILEVIT_512x512", "COCOVOCSUBDataset": "COCOVOCSUB_MOBILEVIT_512x512"},
        test={"VOCDataset": "VOCAUG_MOBILEVIT_512x512"},
    ),
    num_classes=21,
    dataloader="BS64",
    max_epochs=50,
)
