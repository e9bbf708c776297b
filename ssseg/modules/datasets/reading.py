"""Where the pixels and labels of a sample come from: its files, labels in memory, or a raw cache."""

from typing import TYPE_CHECKING

import numpy as np

from ..utils.rasters import read_pixels
from .checking import size_error
from .labelcodes import LabelCodes, PlainLabels

if TYPE_CHECKING:
    from .base import BaseDataset


def read_pair(dataset: "BaseDataset", imagepath: str, annpath: str | None) -> tuple[np.ndarray, LabelCodes]:
    """Return an image (H, W, C) and its label map; all 0 where there is none to read.

    Raises:
        DataError: a file cannot be used, the two differ in size, or the raw cache does not have them.
    """
    if dataset.raw_cache is not None and annpath is not None:
        return dataset.raw_cache.read(imagepath, annpath, dataset.ignore_index)
    image = read_pixels(imagepath, dataset.options.in_channels)
    height, width = image.shape[:2]
    if annpath is None or not dataset.reads_labels:
        return image, PlainLabels(np.zeros((height, width), np.int16))
    stored = None if dataset.label_store is None else dataset.label_store.get(annpath)
    labels: LabelCodes = PlainLabels(dataset.read_labels(annpath)) if stored is None else stored
    if labels.shape != (height, width):
        raise size_error(imagepath, annpath, (height, width), labels.shape)
    return image, labels
