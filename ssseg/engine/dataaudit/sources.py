"""The sets that are audited, opened so that a fault in one does not hide those in the other."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...configs._base_ import SegmentorConfig
from ...modules import BuildDataset
from ...modules.datasets.folder import FolderDataset
from ...modules.utils.errors import ConfigError, DataError
from ...modules.utils.images import read_label
from ...modules.utils.rawlabels import as_numbers
from ..detect import detect
from ..owndata import dataset_cfg_of, write_lists
from .findings import Finding, finding

SPLITS = {"train": ("TRAIN", "train"), "val": ("TEST", "test")}  # mode and part of the cfg
_PARTS = ("train", "test")


@dataclass(frozen=True)
class Source:
    """A data set, or one of those that a MultipleDataset joins.

    Attributes:
        split: "train" or "val".
        name: the split, and the name that a MultipleDataset gives the data set.
    """

    split: str
    name: str
    dataset: Any


def folder_cfg(path: str | os.PathLike[str]) -> SegmentorConfig:
    """Return the `SEGMENTOR_CFG` of a plain folder, as far as an audit reads it."""
    parts = {"train": {"set": "train"}, "test": {"set": "val"}}
    return SegmentorConfig(dataset={"type": "FolderDataset", "rootdir": os.fspath(path), **parts})


def path_cfg(path: str | os.PathLike[str], lists: str | os.PathLike[str]) -> SegmentorConfig:
    """Return the `SEGMENTOR_CFG` of whatever data lie at a path, as far as an audit reads it.

    Args:
        lists: a folder for the text files that stand for a layout.

    Raises:
        ConfigError, DataError: see `detect`.
    """
    try:
        layout = detect(Path(path))
    except (ConfigError, DataError):
        if not Path(path, "images", "train").is_dir() and not Path(path, "train.txt").is_file():
            raise
        return folder_cfg(path)  # the audit tells what is wrong, file by file
    return SegmentorConfig(dataset=dataset_cfg_of(layout, {}, write_lists(layout, Path(lists))))


def open_sources(cfg: Mapping[str, Any], splits: Sequence[str]) -> tuple[list[Source], list[Finding]]:
    """Open sets of a `SEGMENTOR_CFG`; what cannot be opened is a finding.

    Raises:
        ConfigError: there is no data set, or its cfg is wrong.
    """
    if not cfg.get("dataset"):
        raise ConfigError("SEGMENTOR_CFG['dataset']: not set; name a data set, or give the path of a folder")
    sources: list[Source] = []
    findings: list[Finding] = []
    for split in splits:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            dataset, problem = _opened(cfg["dataset"], split)
        findings += [finding("repeated-id", split, str(warning.message)) for warning in caught]
        findings += [problem] if problem else []
        if dataset is None:
            continue
        given = cfg.get("num_classes")
        if given not in (None, -1, dataset.num_classes):
            message = f"SEGMENTOR_CFG['num_classes'] is {given}, the data set has {dataset.num_classes} classes"
            findings.append(finding("class-count", split, message))
        parts = getattr(dataset, "datasets", None) or {"": dataset}
        sources += [Source(split, f"{split}/{name}" if name else split, part) for name, part in parts.items()]
    return sources, findings


def _opened(dataset_cfg: Mapping[str, Any], split: str) -> tuple[Any, Finding | None]:
    mode, part = SPLITS[split]
    try:
        dataset = BuildDataset(mode, None, dataset_cfg)
    except DataError as error:
        problem = finding("unusable-set", split, str(error))
        if dataset_cfg.get("type") != "FolderDataset" or _has_class_table(dataset_cfg["rootdir"]):
            return None, problem
        own = {**{key: value for key, value in dataset_cfg.items() if key not in _PARTS}, **dataset_cfg.get(part, {})}
        try:
            dataset = _ReadableFolder(mode, None, own)
        except DataError:
            return None, problem
    if isinstance(dataset, FolderDataset) and not _has_class_table(dataset.dataset_cfg["rootdir"]):
        names = ", ".join(f"{raw}" for raw, label in dataset.label_map.raw_to_label.items() if label >= 0)
        message = f"there is no classes.txt; the numbers in the training label maps are the classes: {names}"
        return dataset, finding("unnamed-classes", split, message)
    return dataset, None


def _has_class_table(root: str) -> bool:
    return any(Path(root, name).is_file() for name in ("classes.txt", "classes.json"))


class _ReadableFolder(FolderDataset):
    """Takes the classes from those label maps that can be read; the audit names the others."""

    def _training_labels(self, root: Path) -> list[str]:
        return [path for path in super()._training_labels(root) if _is_label_map(path)]


def _is_label_map(path: str) -> bool:
    try:
        as_numbers(read_label(path), path)
    except DataError:
        return False
    return True
