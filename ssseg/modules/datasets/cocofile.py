"""Any data set in one of COCO's formats."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..utils.errors import DataError, LabelError
from ..utils.filekinds import shown
from ..utils.images import read_label
from .base import BaseDataset, read_ids
from .cocojson import Instances
from .listed import class_rows, use_classes
from .panoptic import read_panoptic

UNCOVERED = -1  # the number of pixels that no object covers


class COCOFileDataset(BaseDataset):
    """Images with an annotation file of COCO: instances or stuff as polygons and run-length codes, or panoptic.

    `dataset_cfg` holds, besides `rootdir`, which relative paths start from:
        annotations: the JSON file.
        images: the folder of the images.
        segments: the folder of the PNG files with segment ids, for a panoptic file.
        classes: rows `[category, name]` or `[category, name, r, g, b]`, in the order of the labels; -1 stands for
            pixels that no object covers, a row named `void` is ignored. Objects of other categories are not painted.
        ids: a text file with the ids of the images to use; without it all.

    Where objects overlap, the one that is listed first is seen.

    Raises:
        DataError: a file or folder is missing, is not what it should be, or there are more than 255 categories.
    """

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        root, rows = dataset_cfg["rootdir"], class_rows(dataset_cfg["classes"])
        use_classes(self, rows)
        self._file = os.path.join(root, dataset_cfg["annotations"])
        self.image_dir = os.path.join(root, dataset_cfg["images"])
        categories = [row.number for row in rows if row.number != UNCOVERED]
        self._raw = np.array([UNCOVERED, *categories], np.int32)
        if "segments" in dataset_cfg:
            self.ann_dir = os.path.join(root, dataset_cfg["segments"])
            self._segments = read_panoptic(self._file)
            self._names = {imageid: name for imageid, (name, _) in self._segments.items()}
        else:
            if len(categories) > 255:
                raise DataError(f"{shown(self._file)}: at most 255 categories are painted, not {len(categories)}")
            self.ann_dir, self.ann_ext = os.path.split(self._file)[0], ".json"
            self._instances = Instances(self._file, {number: place for place, number in enumerate(categories, 1)})
            self._names = self._instances.names
        self.is_panoptic = "segments" in dataset_cfg
        self.imageids = self._chosen(dataset_cfg.get("ids"))

    def _chosen(self, path: str | None) -> list[str]:
        if path is None:
            return list(self._names)
        chosen = read_ids(path)
        unknown = [imageid for imageid in chosen if imageid not in self._names]
        if unknown:
            raise DataError(
                f"{shown(path)}: {len(unknown)} images are not in {shown(self._file)}, such as {unknown[0]!r}"
            )
        return chosen

    def image_name(self, imageid: str) -> str:
        return os.path.splitext(self._names[imageid])[0]

    result_name = image_name

    def ann_name(self, imageid: str) -> str:
        return self.image_name(imageid) if self.is_panoptic else os.path.splitext(os.path.basename(self._file))[0]

    def ann_path(self, imageid: str) -> str:
        return f"{super().ann_path(imageid)}#{imageid}"

    def read_annotation(self, annpath: str) -> np.ndarray:
        path, imageid = annpath.rsplit("#", 1)
        if not self.is_panoptic:
            return self._raw[self._instances.label_map(imageid)]
        colours = read_label(path).astype(np.int64)
        if colours.ndim != 3:
            raise LabelError(f"{shown(path)}: holds no colours; a panoptic file has segment ids as r + 256 g + 65536 b")
        segments = {0: UNCOVERED, **self._segments[imageid][1]}
        keys = np.array(sorted(segments))
        ids = colours @ np.array([1, 256, 65536])
        place = np.searchsorted(keys, ids).clip(max=len(keys) - 1)
        if (keys[place] != ids).any():
            row, column = np.argwhere(keys[place] != ids)[0].tolist()
            raise LabelError(
                f"{shown(path)}: the segment {ids[row, column]}, first at row {row}, column {column}, is not in "
                f"{shown(self._file)}"
            )
        return np.array([segments[key] for key in keys.tolist()], np.int32)[place]
