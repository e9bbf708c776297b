"""FCN, ResNeSt-101 at 1/8, PASCAL VOC (augmented set), 512x512, 60 epochs. Published mIoU: 77.41 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "RESNEST", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=60)
