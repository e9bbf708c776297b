"""DeepLabV3, MobileViTV2-0.5, PASCAL VOC (augmented set), 512x512, 50 epochs."""

from .._base_ import experiment
from .._base_.joined import joined

SEGMENTOR_CFG = experiment(
    __file__,
    "MOBILEVITV2",
    dataset=joined(
        train={"VOCDataset": "VOCAUG_MOBILEVIT_512x512", "COCOVOCSUBDataset": "VOCAUG_MOBILEVIT_512x512"},
        test={"VOCDataset": "VOCAUG_MOBILEVIT_512x512"},
    ),
    num_classes=21,
    dataloader="BS64",
    max_epochs=50,
)
