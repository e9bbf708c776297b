"""A data set that is a plain folder."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..utils.errors import DataError, listed, nearest
from ..utils.filekinds import shown
from .base import BaseDataset
from .classes import find_classes, label_map_of, read_classes
from .ids import read_ids
from .paths import IMAGE_EXTENSIONS, find_file, missing

LABEL_FOLDERS = ("labels", "masks", "annotations")


class FolderDataset(BaseDataset):
    """Images and label maps in two folders, split by subfolder or by list.

        images/<set>/a.jpg   labels/<set>/a.png                   subfolders below <set> are part of the id
        images/a.jpg         labels/a.png         <set>.txt       or splits/<set>.txt: one id a line

    `labels` may be called `masks` or `annotations`. The classes stand in `classes.txt` or `classes.json` (see
    `read_classes`); without either they are the numbers found in the label maps of the set `train`. Label maps hold the
    classes' numbers, or their colours where the table gives each its own. Classes called `void` or `ignore`, and 255
    where it is no class, are ignored; other numbers are errors.

    `set` is `train` in mode TRAIN and `val` in mode TEST unless the cfg says otherwise.
    """

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        root = Path(dataset_cfg["rootdir"])
        split = dataset_cfg.get("set", "train" if mode == "TRAIN" else "val")
        self.image_dir, self.ann_dir, self.imageids = find_split(root, split)
        self.image_ext = os.path.splitext(self.image_path(self.imageids[0]))[1]
        rows = read_classes(root) or find_classes(self._training_labels(root), shown(root))
        palette = self.randompalette(sum(not row.is_void for row in rows))
        self.label_map = label_map_of(rows, palette, self.ignore_index)
        self.num_classes = self.label_map.num_classes
        self.classnames, self.palette = list(self.label_map.classnames), list(self.label_map.palette)

    def _training_labels(self, root: Path) -> list[str]:
        """The label files of the set `train`, or of this set where there is no other."""
        try:
            _, folder, imageids = find_split(root, "train")
        except DataError:
            folder, imageids = Path(self.ann_dir), list(self.imageids)
        return [find_file(os.path.join(folder, imageid), self.ann_ext) for imageid in imageids]


def find_split(root: Path, split: str) -> tuple[Path, Path, list[str]]:
    """Return the folder of the images, that of the label maps, and the ids of a set.

    Raises:
        DataError: `root` is no such folder, or has no such set.
    """
    images = root / "images"
    if not images.is_dir():
        raise DataError(f"FolderDataset: {missing(images)}")
    labels = next((root / name for name in LABEL_FOLDERS if (root / name).is_dir()), root / LABEL_FOLDERS[0])
    if (images / split).is_dir():
        return images / split, labels / split, ids_below(images / split)
    lists = (root / f"{split}.txt", root / "splits" / f"{split}.txt")
    for path in lists:
        if path.is_file():
            return images, labels, [_without_extension(imageid) for imageid in read_ids(path)]
    folders = [entry.name for entry in images.iterdir() if entry.is_dir()]
    known = sorted({*folders, *(path.stem for folder in lists for path in folder.parent.glob("*.txt"))} - {"classes"})
    raise DataError(
        f"SEGMENTOR_CFG['dataset']: there is no set {split!r} in {shown(root)}, neither a folder images/{split} nor a "
        f"list {split}.txt or splits/{split}.txt.{nearest(split, known)} Sets: {listed(known) or 'none'}."
    )


def ids_listed_or_below(path: str, folder: str) -> list[str]:
    """Return the ids that the file `path` lists or, where there is none, those of all images in `folder`.

    Some data sets are published without lists; SSSegmentation's preparation adds them.
    """
    if not os.path.isfile(path) and os.path.isdir(folder):
        return ids_below(Path(folder))
    return read_ids(path)


def ids_below(folder: Path) -> list[str]:
    """Return the paths of all images in `folder` and below, relative to it and without extension, sorted.

    Raises:
        DataError: there are none, or two that differ only in their extension.
    """
    paths = [
        Path(parent, name).relative_to(folder)
        for parent, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(IMAGE_EXTENSIONS) and not name.startswith(".")
    ]
    ids = Counter(path.with_suffix("").as_posix() for path in paths)
    if not ids:
        raise DataError(f"{shown(folder)}: there are no images in it; their names end in {listed(IMAGE_EXTENSIONS)}")
    twice = [imageid for imageid, count in ids.items() if count > 1]
    if twice:
        raise DataError(f"{shown(folder)}: two images would share one label map, those of {listed(twice, limit=5)}")
    return sorted(ids)


def _without_extension(imageid: str) -> str:
    stem, extension = os.path.splitext(imageid)
    return stem if extension.lower() in IMAGE_EXTENSIONS else imageid
