"""The configs that experiments start from. Importing them loads neither torch nor any other part of ssseg."""

from .dataloaders import REGISTERED_DATALOADER_CONFIGS, DataloaderConfig
from .datasets import REGISTERED_DATASET_CONFIGS, DatasetConfig
from .experiment import experiment
from .segmentors import REGISTERED_SEGMENTOR_CONFIGS, SegmentorConfig

__all__ = [
    "REGISTERED_DATALOADER_CONFIGS",
    "REGISTERED_DATASET_CONFIGS",
    "REGISTERED_SEGMENTOR_CONFIGS",
    "DataloaderConfig",
    "DatasetConfig",
    "SegmentorConfig",
    "experiment",
]
