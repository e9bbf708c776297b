"""The layouts of PASCAL VOC, Cityscapes and ADE20K."""

from pathlib import Path
from typing import Any

import numpy as np

from ...modules import DatasetBuilder
from ...modules.datasets.ids import read_ids
from ...modules.datasets.paths import find_file
from ...modules.utils.errors import ConfigError, DataError, listed
from ...modules.utils.filekinds import shown
from ...modules.utils.images import read_label
from .classfinding import find_rows, rows_of_class
from .layout import Layout, Pair, chosen_sets, listed_layout
from .pairing import pair_up, pictures_below

PROBED = 50  # label maps that are read to tell whose classes they hold


def find_cityscapes(root: Path) -> Layout | None:
    """`leftImg8bit/<set>/<city>` and `gtFine/<set>/<city>`, with or without lists of ids."""
    images, labels = root / "leftImg8bit", root / "gtFine"
    if not (images.is_dir() and labels.is_dir()):
        return None
    if (root / "train.txt").is_file() and (root / "val.txt").is_file():
        return _native("Cityscapes", "CityScapesDataset", root, "{}.txt")
    sets: dict[str, list[Pair]] = {}
    for part in ("train", "val"):
        found = sorted((images / part).rglob("*_leftImg8bit.png"))
        pairs = [
            (path, labels / str(path.relative_to(images)).replace("leftImg8bit", "gtFine_labelIds")) for path in found
        ]
        absent = [label for _, label in pairs if not label.is_file()]
        if absent:
            raise DataError(f"{shown(root)}: {len(absent)} label maps are missing, the first is {shown(absent[0])}")
        if pairs:
            sets[part] = [(str(image), str(label)) for image, label in pairs]
    if "train" not in sets:
        raise DataError(f"{shown(root)}: looks like Cityscapes, but leftImg8bit/train holds no *_leftImg8bit.png")
    sources = {part: f"leftImg8bit/{part}" for part in sets}
    return listed_layout("Cityscapes, without lists", root, sets, rows_of_class(_known("CityScapesDataset")), sources)


def find_ade20k(root: Path) -> Layout | None:
    """`ADEChallengeData2016/{images,annotations}/{training,validation}`."""
    inner = root if root.name == "ADEChallengeData2016" else root / "ADEChallengeData2016"
    if not (inner / "images" / "training").is_dir():
        return None
    if (inner / "train.txt").is_file() and (inner / "val.txt").is_file():
        return _native("ADE20K", "ADE20kDataset", inner.parent, "ADEChallengeData2016/{}.txt")
    paths = [path for path in pictures_below(inner) if path.startswith(("images/", "annotations/"))]
    sets, notes = pair_up(inner, paths)
    train, val = chosen_sets(list(sets))
    chosen = {part: sets[name] for part, name in (("train", train), ("val", val)) if name}
    sources = {"train": "images/training", "val": "images/validation"}
    rows = rows_of_class(_known("ADE20kDataset"))
    return listed_layout("ADE20K, without lists", inner, chosen, rows, sources, notes)


def find_voc(root: Path) -> Layout | None:
    """`JPEGImages`, `SegmentationClass` and lists of ids in `ImageSets/Segmentation`; the classes may be others."""
    places = [root, *sorted(root.glob("VOC*")), *sorted(root.glob("VOCdevkit/VOC*"))]
    found = [place for place in places if (place / "JPEGImages").is_dir() and (place / "SegmentationClass").is_dir()]
    if len(found) > 1:
        raise ConfigError(f"{shown(root)}: there are {len(found)} sets in it; give one: {listed(map(shown, found))}")
    if not found:
        return None
    root = found[0]
    lists = {path.stem: path for path in sorted((root / "ImageSets" / "Segmentation").glob("*.txt"))}
    train, val = chosen_sets(list(lists))
    names = {"train": train, "val": val} if train else {"train": next(iter(lists), None), "val": None}
    sets, sources = {}, {}
    for part, name in names.items():
        if name:
            sets[part] = [_voc_pair(root, imageid) for imageid in read_ids(lists[name])]
            sources[part] = f"ImageSets/Segmentation/{name}.txt"
    if not sets:
        sets = {"train": [_voc_pair(root, path.stem) for path in sorted((root / "SegmentationClass").glob("*.png"))]}
        sources = {"train": "SegmentationClass"}
    tables = [name for name in ("classes.txt", "classes.json", "labelmap.txt") if (root / name).is_file()]
    labels = [label for pairs in sets.values() for _, label in pairs]
    voc = _known("VOCDataset")
    if tables or not _holds_only(labels, {*range(voc.num_classes), *voc.clsid2label}):
        rows, notes = find_rows(root, labels)
        return listed_layout("PASCAL VOC, other classes", root, sets, rows, sources, notes)
    note = "the classes are those of PASCAL VOC; for others put a classes.txt beside JPEGImages"
    if names == {"train": "train", "val": "val"}:
        return _native("PASCAL VOC", "VOCDataset", root, "ImageSets/Segmentation/{}.txt", note)
    return listed_layout("PASCAL VOC", root, sets, rows_of_class(voc), sources, [note])


def _voc_pair(root: Path, imageid: str) -> Pair:
    image, label = (str(root / folder / imageid) for folder in ("JPEGImages", "SegmentationClass"))
    return find_file(image, ".jpg"), find_file(label, ".png")


def _holds_only(labels: list[str], numbers: set[int]) -> bool:
    """Whether label maps hold no colours and no other numbers, going by `PROBED` of them, spread over all."""
    for path in labels[:: max(1, len(labels) // PROBED)]:
        raw = read_label(path)
        if raw.ndim != 2 or not set(np.unique(raw).tolist()) <= numbers:
            return False
    return True


def _native(name: str, kind: str, root: Path, lists: str, *notes: str) -> Layout:
    parts = ("train", "val")
    sources = {part: lists.format(part) for part in parts}
    train, val = ({"set": part} for part in parts)
    return Layout(name, {"type": kind, "rootdir": str(root.absolute())}, train, val, sources, notes=list(notes))


def _known(kind: str) -> Any:
    return DatasetBuilder().get(kind)
