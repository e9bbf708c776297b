"""What is wrong, or surprising, with the label map of a sample."""

import os
import warnings
from typing import Any

import numpy as np
from PIL import Image

from ...modules.datasets.checking import size_error
from ...modules.utils.errors import DataError, ImageError, LabelError
from ...modules.utils.filekinds import looks_like
from ...modules.utils.labelmap import LabelMap
from ...modules.utils.rawlabels import as_numbers
from .findings import finding
from .images import beginning, extension_findings, is_foreign, without_place
from .records import Record

Array = np.ndarray[Any, Any]

_LOSSY = ("a JPEG picture", "a WebP picture")
_MANY = 16  # unknown values in one file, as compression and interpolation leave them


def examine_label(record: Record, dataset: Any, annpath: str) -> None:
    """Add what the label map of `record` is like to it: findings, pixels of each class.

    Args:
        annpath: as the data set's `read_annotation` takes it.
    """
    path, label_map = record.label, dataset.label_map
    kind = looks_like(beginning(path)) if os.path.splitext(path)[1] not in (".mat", ".json") else ""
    record.findings += extension_findings(path, kind)
    try:
        raw = dataset.read_annotation(annpath)
    except LabelError as error:
        broken = "lossy-label" if kind in _LOSSY else "unusable-label"
        record.findings.append(finding(broken, path, without_place(error, path)))
        return
    except DataError as error:
        foreign = isinstance(error, ImageError) and is_foreign(path, kind)
        broken = "foreign-label" if foreign else "unreadable-label"
        record.findings.append(finding(broken, path, without_place(error, path)))
        return
    labels = _labels(record, raw, label_map, correct=dataset.options.auto_correct_invalid_seg_target)
    if record.size and raw.shape[:2] != record.size:
        mismatch = size_error(record.image, path, record.size, raw.shape[:2])
        record.findings.append(finding("size-mismatch", path, without_place(mismatch, path)))
    if labels is None:
        return
    _note_surprises(record, raw, label_map)
    counts = np.bincount(labels[labels != label_map.ignore_index].ravel(), minlength=label_map.num_classes)
    record.pixels = {label: int(counts[label]) for label in np.flatnonzero(counts).tolist()}
    record.ignored = int(labels.size - counts.sum())
    if not record.pixels:
        record.findings.append(finding("empty-label", path, f"all {labels.size:,} pixels are ignored"))


def _labels(record: Record, raw: Array, label_map: LabelMap, *, correct: bool) -> Array | None:
    """Return the labels that the numbers stand for; where they stand for none, add the finding."""
    path = record.label
    try:
        return label_map.apply(raw, where=path)
    except LabelError as error:
        message = without_place(error, path)
    try:
        labels = label_map.apply(raw, where=path, ignore_unknown=True)
    except LabelError:  # colours without a table, or no whole numbers
        kind = "coloured-label" if raw.ndim == 3 else "unusable-label"
        record.findings.append(finding(kind, path, message))
        return None
    kind, cure = _explain(raw, label_map)
    record.findings.append(finding("ignored-values" if correct else kind, path, message, "" if correct else cure))
    return labels


def _explain(raw: Array, label_map: LabelMap) -> tuple[str, str]:
    """Return the kind of a label map with unknown values, and a cure where the values tell where they come from."""
    if raw.ndim == 3 and label_map.colour_to_raw:
        unknown = {tuple(colour) for colour in np.unique(raw.reshape(-1, 3), axis=0).tolist()}
        return ("lossy-label" if len(unknown - label_map.colour_to_raw.keys()) >= _MANY else "unknown-colour"), ""
    values = set(np.unique(as_numbers(raw, "")).tolist())
    unknown_values = values - label_map.raw_to_label.keys()
    cure = ""
    if values <= {0, 255}:
        cure = "255 stands for a class here: add the row `255<TAB>name` to the class table, or write 1."
    elif min(unknown_values) >= 256 and all(value % 257 == 0 for value in values):
        cure = "Divide by 257: these are 8-bit ids that a program has stretched to 16 bits."
    elif min(unknown_values) >= 256:
        cure = "Use the label maps of classes: numbers this large are those of single objects."
    elif len(unknown_values) >= _MANY:
        return "lossy-label", ""
    elif 0 not in values and unknown_values == {label_map.num_classes}:
        cure = "The ids seem to count from 1: list them so in the class table, or subtract 1."
    return "unknown-label", cure


def _note_surprises(record: Record, raw: Array, label_map: LabelMap) -> None:
    path = record.label
    if raw.dtype.itemsize == 2 and path.lower().endswith((".png", ".tif", ".tiff", ".pgm")):
        message = f"has 16 bits a pixel and holds the ids {raw.min()}..{raw.max()}"
        record.findings.append(finding("16-bit-label", path, message))
    if raw.ndim == 2 and raw.dtype == np.uint8 and path.lower().endswith((".png", ".gif", ".bmp")):
        _check_palette(record, raw, label_map)


def _check_palette(record: Record, raw: Array, label_map: LabelMap) -> None:
    """Add a finding where each index has the colour of a class, but of another one than it stands for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(record.label) as picture:
            palette = picture.getpalette() if picture.mode == "P" else None
    if not palette:
        return
    stored = {raw_id: tuple(palette[3 * raw_id : 3 * raw_id + 3]) for raw_id in np.unique(raw).tolist()}
    labels = {raw_id: label_map.raw_to_label.get(raw_id, label_map.ignore_index) for raw_id in stored}
    classes = {raw_id: label for raw_id, label in labels.items() if label != label_map.ignore_index}
    wrong = [raw_id for raw_id, label in classes.items() if stored[raw_id] != label_map.palette[label]]
    if wrong and all(stored[raw_id] in label_map.palette for raw_id in classes):
        index = wrong[0]
        meant = label_map.classnames[label_map.palette.index(stored[index])]
        message = (
            f"the index {index} stands for {label_map.classnames[classes[index]]!r}, "
            f"but the palette shows it in the colour of {meant!r}"
        )
        record.findings.append(finding("palette-order", record.label, message))
