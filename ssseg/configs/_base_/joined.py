"""Several data sets as one."""

from collections.abc import Sequence
from typing import Any

from .datasets import NUM_CLASSES, REGISTERED_DATASET_CONFIGS


def joined(*, train: Sequence[str], test: Sequence[str]) -> dict[str, Any]:
    """`MultipleDataset` of data sets that have the same classes in the same order.

    Args:
        train, test: "VOCAUG_512x512" for `DATASET_CFG_VOCAUG_512x512`, and so on; one of each type.
    """
    return {"type": "MultipleDataset", "train": _members(train), "test": _members(test)}


def _members(names: Sequence[str]) -> dict[str, Any]:
    members = {}
    for name in names:
        cfg = dict(REGISTERED_DATASET_CONFIGS[f"DATASET_CFG_{name}"])
        labels = range(NUM_CLASSES[cfg["type"]])
        members[cfg["type"]] = {**cfg, "seg_target_remapper": {label: label for label in labels}}
    return members
