"""Turns the line that says what an experiment is into its full `SEGMENTOR_CFG`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .dataloaders import REGISTERED_DATALOADER_CONFIGS
from .datasets import NUM_CLASSES, REGISTERED_DATASET_CONFIGS
from .segmentors import REGISTERED_SEGMENTOR_CONFIGS, SegmentorConfig


def experiment(
    path: str,
    segmentor: str,
    *,
    dataset: str | Mapping[str, Any],
    dataloader: str,
    max_epochs: int,
    num_classes: int | None = None,
    backbone: Mapping[str, Any] | None = None,
    optimizer: Mapping[str, Any] | None = None,
    scheduler: Mapping[str, Any] | None = None,
    inference: Mapping[str, Any] | None = None,
) -> SegmentorConfig:
    """Copy the segmentor's base config and fill in what differs from experiment to experiment.

    What an experiment changes beyond that is assigned to the result: `SEGMENTOR_CFG["head"]["dropout"] = 0`.

    Args:
        path: `__file__` of the experiment; its stem names the work directory and the log file.
        segmentor: "PSPNET" for `PSPNET_SEGMENTOR_CFG`, and so on.
        dataset: "VOCAUG_512x512" for `DATASET_CFG_VOCAUG_512x512`, or a data set's config.
        dataloader: "BS16" for `DATALOADER_CFG_BS16`.
        max_epochs: passes over the training set.
        num_classes: classes of a data set that `NUM_CLASSES` does not list.
        backbone: replaces the base config's backbone.
        optimizer: replaces the base config's optimizer.
        scheduler: replaces the entries that it holds of the base config's `scheduler`.
        inference: replaces the entries that it holds of the base config's `inference`.

    Raises:
        KeyError: no base config has that name; the message holds the nearest.
        ValueError: `num_classes` is needed and not given.
    """
    cfg = REGISTERED_SEGMENTOR_CONFIGS[f"{segmentor}_SEGMENTOR_CFG"]
    cfg["dataset"] = REGISTERED_DATASET_CONFIGS[f"DATASET_CFG_{dataset}"] if isinstance(dataset, str) else dataset
    cfg["dataloader"] = REGISTERED_DATALOADER_CONFIGS[f"DATALOADER_CFG_{dataloader}"]
    kind = cfg["dataset"]["type"]
    if num_classes is None and kind not in NUM_CLASSES:
        raise ValueError(f"experiment: num_classes is needed, because NUM_CLASSES does not list {kind!r}")
    cfg["num_classes"] = NUM_CLASSES[kind] if num_classes is None else num_classes
    if scheduler is not None:
        cfg["scheduler"].update(scheduler)
    cfg["scheduler"]["max_epochs"] = max_epochs
    if backbone is not None:
        cfg["backbone"] = backbone
    if optimizer is not None:
        cfg["scheduler"]["optimizer"] = optimizer
    if inference is not None:
        cfg["inference"].update(inference)
    name = Path(path).stem
    cfg["work_dir"] = name
    cfg["logger_handle_cfg"]["logfilepath"] = os.path.join(name, f"{name}.log")
    return cfg
