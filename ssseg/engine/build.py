"""From a `SEGMENTOR_CFG` to the parts of a run, with the checks that need two of them at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..modules import BuildDataset, BuildSegmentor, DatasetBuilder
from ..modules.models.uninitialized import Uninitialized
from ..modules.utils.checkpoint import load_state
from ..modules.utils.errors import ConfigError
from ..modules.utils.labelmap import LabelMap
from .backbonecfg import without_pretrained
from .imagechannels import with_image_channels
from .options import RuntimeOptions
from .weightfiles import read_header, weights_of


def build_dataset(cfg: Mapping[str, Any], mode: str, logger_handle: Any = None) -> Any:
    """Build the train or test data set (`mode` TRAIN or TEST); check that it fits the config and its files are there.

    `repeat_times` repeats training samples; for the test set it counts in `SEGMENTOR_CFG['dataset']['test']` only.

    Raises:
        ConfigError: no data set is configured, or its classes are not as many as the segmentor's.
        DataError: files are missing.
    """
    if not cfg.get("dataset"):
        raise ConfigError("SEGMENTOR_CFG['dataset']: not set; name a data set, such as DATASET_CFG_VOCAUG_512x512")
    once = {"repeat_times": 1} if mode == "TEST" else {}  # a picture that is measured twice tells nothing new
    dataset = BuildDataset(mode, logger_handle, {**cfg["dataset"], **once})
    if dataset.num_classes != cfg["num_classes"]:
        raise ConfigError(
            f"SEGMENTOR_CFG['num_classes'] is {cfg['num_classes']}, but {type(dataset).__name__} has "
            f"{dataset.num_classes} classes: {', '.join(dataset.classnames)}."
        )
    dataset.check_files()
    return dataset


def build_segmentor(cfg: Mapping[str, Any], mode: str, device: torch.device) -> Any:
    """Build the segmentor on `device`, in the memory format that `SEGMENTOR_CFG['runtime']` asks for."""
    missing = [name for name in ("type", "num_classes", "backbone") if cfg.get(name) in (None, -1)]
    if missing:
        places = ", ".join(f"SEGMENTOR_CFG[{name!r}]" for name in missing)
        raise ConfigError(
            f"{places}: not set. A base config leaves it to the experiment; see ssseg/configs for examples."
        )
    try:
        segmentor = BuildSegmentor(with_image_channels(cfg), mode)
    except ConfigError:
        raise
    except ValueError as error:  # of a layer of torch
        raise ConfigError(f"SEGMENTOR_CFG: {cfg['type']} cannot be built: {error}") from error
    if device.type != "cpu":  # where it was built; looking through all modules of a small network takes a fifth of that
        segmentor = segmentor.to(device)
    if RuntimeOptions.of(cfg).channels_last:
        segmentor = segmentor.to(memory_format=torch.channels_last)
    return segmentor


def load_segmentor(
    cfg: Mapping[str, Any], ckptspath: str | Path, device: torch.device, *, ema: bool = False
) -> tuple[Any, dict[str, Any]]:
    """Build the segmentor in TEST mode with a checkpoint's weights; return it and the checkpoint's header.

    No random weights are drawn before, and no pretrained ones are looked for.

    Raises:
        ConfigError, CheckpointError: see `build_segmentor`, `load_weights`.
    """
    with Uninitialized():
        segmentor = build_segmentor(without_pretrained(cfg), "TEST", device)
    return segmentor, load_weights(segmentor, ckptspath, ema=ema)


def load_weights(segmentor: Any, ckptspath: str | Path, *, ema: bool = False) -> dict[str, Any]:
    """Load a checkpoint's weights for testing or inference, strictly; return its header, see `read_header`.

    Args:
        ema: load the averaged weights.

    Raises:
        CheckpointError: the file is missing, damaged, unsafe, or of another model; or it has no averaged weights.
    """
    load_state(segmentor, weights_of(ckptspath, ema=ema), source=str(ckptspath))
    return read_header(ckptspath)


def label_map_of(cfg: Mapping[str, Any], header: Mapping[str, Any]) -> LabelMap:
    """Return the label map to show predictions with: the header's, else the data set class's, else a numbered one.

    No data set needs to be on disk.
    """
    if header.get("label_map"):
        return LabelMap.from_json(header["label_map"])
    kind, number = (cfg.get("dataset") or {}).get("type", "BaseDataset"), cfg["num_classes"]
    dataset = DatasetBuilder().find(kind, "SEGMENTOR_CFG['dataset']")
    names, palette = list(dataset.classnames), list(dataset.palette)
    if len(names) != number:
        names, palette = [f"class {label}" for label in range(number)], []
    return LabelMap.of_classes(names, palette or dataset.randompalette(number))
