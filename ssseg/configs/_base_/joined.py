"""Several data sets as one."""

from collections.abc import Mapping
from typing import Any

from .datasets import NUM_CLASSES, REGISTERED_DATASET_CONFIGS


def joined(*, train: Mapping[str, str], test: Mapping[str, str]) -> dict[str, Any]:
    """`MultipleDataset` of data sets that have the same classes in the same order.

    Args:
        train, test: names of one's own -> "VOCAUG_512x512" for `DATASET_CFG_VOCAUG_512x512`, and so on.
    """
    return {"type": "MultipleDataset", "train": _members(train), "test": _members(test)}


def _members(names: Mapping[str, str]) -> dict[str, Any]:
    members = {}
    for name, dataset in names.items():
        cfg = REGISTERED_DATASET_CONFIGS[f"DATASET_CFG_{dataset}"]
        members[name] = {**cfg, "seg_target_remapper": {label: label for label in range(NUM_CLASSES[cfg["type"]])}}
    return members
