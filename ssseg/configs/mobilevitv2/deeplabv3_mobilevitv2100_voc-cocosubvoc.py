"""DeepLabV3, MobileViTV2-1.0, PASCAL VOC (augmented set) and its classes in COCO, 512x512, 50 epochs."""

from .._base_ import experiment
from .._base_.joined import joined

SEGMENTOR_CFG = experiment(
    __file__,
    "MOBILEVITV2",
    dataset=joined(
        train={"VOCDataset": "VOCAUG_MOBILEVIT_512x512", "COCOVOCSUBDataset": "COCOVOCSUB_MOBILEVIT_512x512"},
        test={"VOCDataset": "VOCAUG_MOBILEVIT_512x512"},
    ),
    num_classes=21,
    dataloader="BS64",
    max_epochs=50,
)
SEGMENTOR_CFG["backbone"]["structure_type"] = "mobilevitv2_100"
SEGMENTOR_CFG["head"]["in_channels"] = 512
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 384, "out_channels": 512, "dropout": 0.1}
