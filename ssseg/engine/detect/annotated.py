"""Data sets whose labels are shapes in files: COCO and LabelMe."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...modules.datasets.classes import ClassRow
from ...modules.datasets.cocofile import UNCOVERED
from ...modules.datasets.labelme import BACKGROUND, IGNORED, UNLABELLED, dict_of, read_shapes
from ...modules.utils.errors import ConfigError, DataError, listed
from ...modules.utils.filekinds import shown
from ...modules.utils.jsontext import load_json
from .layout import TRAIN, VAL, Layout, Pair, as_entries, chosen_sets, listed_layout, set_aside, sibling
from .pairing import split_of

_NO_OBJECTS = ("captions", "person_keypoints", "image_info", "images_info")


def find_coco(root: Path) -> Layout | None:
    """`annotations/<kind>_<set>2017.json`, or `<set>/_annotations.coco.json` beside the images."""
    files = [path for pattern in ("*.json", "annotations/*.json") for path in sorted(root.glob(pattern))]
    files = [path for path in files if not path.name.startswith(_NO_OBJECTS) and _mentions_annotations(path)]
    each = {path.parent.name: path for path in sorted(root.glob("*/_annotations.coco.json"))}
    if each:
        train, val = chosen_sets(list(each))
        if train is None:
            raise DataError(f"{shown(root)}: of {listed(map(shown, each.values()))} none is in a folder called train")
        return coco_layout(each[train], each[val] if val else None)
    words = sorted((*TRAIN, *VAL), key=len, reverse=True)
    groups: dict[str, list[Path]] = {}
    for path in files:
        groups.setdefault(re.sub("|".join(words), "*", path.stem, count=1), []).append(path)
    if len(groups) > 1:
        raise ConfigError(
            f"{shown(root)}: there are several kinds of annotations, {listed(map(shown, files), limit=8)}. "
            "Give the training file: --data FILE.json"
        )
    for paths in groups.values():
        training = [path for path in paths if "train" in path.stem] or paths
        if len(training) > 1:
            raise ConfigError(f"{shown(root)}: which file is for training? {listed(map(shown, paths))}")
        return coco_layout(training[0], sibling(training[0]))
    return None


def coco_layout(train: Path, val: Path | None) -> Layout:
    """Describe annotation files of COCO: panoptic, stuff or instances.

    Raises:
        DataError: a file is none, or its images cannot be found.
        ConfigError: its images are in several places.
    """
    train, val = train.absolute(), val.absolute() if val else None
    record = _read(train)
    entries = [dict_of(entry) for entry in record["annotations"]]
    panoptic = any("segments_info" in entry for entry in entries)
    categories = [dict_of(category) for category in record.get("categories") or ()]
    if not entries or not categories:
        lacking = "annotations" if not entries else "categories, which name the classes"
        raise DataError(f"{shown(train)}: has no {lacking}")
    root = train.parent.parent if train.parent.name == "annotations" else train.parent
    covers = panoptic or all(str(category.get("supercategory", "")).endswith("-stuff") for category in categories)
    rows = [ClassRow(UNCOVERED, "void" if covers or train.name.startswith("stuff") else "background", (0, 0, 0))]
    rows += _category_rows(categories, train)
    parts: dict[str, dict[str, Any]] = {}
    sources, lists, notes = {}, {}, []
    for part, path in (("train", train), ("val", val)):
        if path is not None:
            own = record if path == train else _read(path)
            _require_same(rows, own, path)
            parts[part] = _places(path, root, own, panoptic)
            sources[part] = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
    if "val" not in parts:
        parts["val"] = dict(parts["train"])
        names = sorted({str(image["id"]) for image in map(dict_of, record.get("images") or ()) if "id" in image})
        names = names or sorted({str(entry.get("image_id")) for entry in entries})
        lists["train"], lists["val"] = set_aside(names)
        for part in lists:
            parts[part]["ids"] = f"LIST:{part}"
        sources["val"] = f"every fifth image or so of {sources['train']}, chosen by the hash of its id"
    if not panoptic and rows[0].name == "background":
        notes.append("pixels without an object are the class background")
    name = "COCO panoptic" if panoptic else "COCO stuff" if rows[0].is_void else "COCO instances"
    dataset = {"type": "COCOFileDataset", "rootdir": str(root), "classes": as_entries(rows)}
    return Layout(name, dataset, parts["train"], parts["val"], sources, lists, notes)


def find_labelme(root: Path) -> Layout | None:
    """Files of LabelMe, `a.json` beside or near `a.jpg`, in one folder or one folder a set."""
    files = [path for path in sorted(root.rglob("*.json")) if not path.name.startswith(".") and _is_labelme(path)]
    if not files:
        return None
    names: set[str] = set()
    sets: dict[str, list[Pair]] = {}
    for path in files:
        record = read_shapes(path)
        names |= {str(shape["label"]) for shape in record["shapes"]}
        sets.setdefault(split_of(path.relative_to(root).parts), []).append((_labelme_image(path, record), str(path)))
    train, val = chosen_sets(list(sets))
    if train is None:
        sets, train, val = {"": [pair for pairs in sets.values() for pair in pairs]}, "", None
    chosen = {part: sets[name] for part, name in (("train", train), ("val", val)) if name is not None}
    names -= {BACKGROUND, IGNORED, "background"}
    if len(names) >= UNLABELLED:
        raise DataError(f"{shown(root)}: the shapes have {len(names)} names; more than {UNLABELLED - 1} are not read")
    rows = [ClassRow(0, BACKGROUND.strip("_"))]
    rows += [ClassRow(number, name) for number, name in enumerate(sorted(names), 1)]
    notes = ["pixels without a shape are the class background"]
    sources = {"train": train or "*.json", "val": val or ""}
    return listed_layout("LabelMe", root, chosen, rows, sources, notes)


def _mentions_annotations(path: Path) -> bool:
    """Whether a file that may be large looks like COCO's: going by its first and last bytes, without parsing it."""
    with path.open("rb") as stream:
        head = stream.read(65536)
        stream.seek(max(0, os.path.getsize(path) - 65536))
        both = head + stream.read()
    return b'"annotations"' in both or (b'"images"' in both and b'"categories"' in both)


def _read(path: Path) -> dict[str, Any]:
    record = load_json(path, "the annotation file")
    if not isinstance(dict_of(record).get("annotations"), list):
        raise DataError(f"{shown(path)}: is no annotation file of COCO: it has no list 'annotations'")
    return dict_of(record)


def _category_rows(categories: Sequence[Mapping[str, Any]], path: Path) -> list[ClassRow]:
    rows: dict[int, ClassRow] = {}
    names = {"background"}
    for category in categories:
        number, name = category.get("id"), category.get("name")
        if type(number) is not int or number < 0 or name is None or number in rows:
            raise DataError(f"{shown(path)}: a category needs a name and a number of its own as id: {dict(category)!r}")
        name = f"{name} ({number})" if name in names else str(name)
        names.add(name)
        rows[number] = ClassRow(number, name, _colour_of(category.get("color")))
    return [rows[number] for number in sorted(rows)]


def _colour_of(value: Any) -> tuple[int, int, int] | None:
    """Return a colour of numbers; what else programs write there is left out."""
    match value:
        case [int(red), int(green), int(blue)] if all(0 <= part <= 255 for part in (red, green, blue)):
            return red, green, blue
        case _:
            return None


def _require_same(rows: Sequence[ClassRow], record: Mapping[str, Any], path: Path) -> None:
    """Raise where the file for validation has other categories than the one for training."""
    known = {row.number: row.name for row in rows}
    for row in _category_rows([dict_of(category) for category in record.get("categories") or ()], path):
        if known.get(row.number) != row.name:
            there = repr(known[row.number]) if row.number in known else "not there"
            raise DataError(f"{shown(path)}: the category {row.number} is {row.name!r}, but {there} in training")


def _places(path: Path, root: Path, record: Mapping[str, Any], panoptic: bool) -> dict[str, Any]:
    """Where the images of an annotation file, and its PNG files of segments, lie."""
    images = [dict_of(image) for image in record.get("images") or ()]
    first = str((images or [dict_of(record["annotations"][0])])[0].get("file_name"))
    place = {"annotations": os.path.relpath(path, root)}
    if panoptic:
        segment = str(dict_of(record["annotations"][0]).get("file_name"))
        place["segments"] = _folder_of(segment, path, root, [path.with_suffix("")])
    if not images:
        first = os.path.splitext(first)[0] + ".jpg"
    place["images"] = _folder_of(first, path, root, [path.parent])
    return place


def _folder_of(name: str, path: Path, root: Path, likely: list[Path]) -> str:
    """The folder that holds the file `name`; of several the one whose name is in that of the annotation file."""
    folders = [*likely, root, *sorted(entry for entry in (*root.glob("*"), *root.glob("*/*")) if entry.is_dir())]
    found = list(dict.fromkeys(folder for folder in folders if (folder / name).is_file()))
    fitting = [folder for folder in found if folder.name.lower() in path.stem.lower()] if len(found) > 1 else found
    if len(fitting) == 1 or (found and found[0] in likely):
        return os.path.relpath(found[0] if found[0] in likely else fitting[0], root)
    if not found:
        raise DataError(f"{shown(path)}: its file {name} is not in {shown(root)} or two folders below")
    raise ConfigError(f"{shown(path)}: its file {name} is in several folders: {listed(map(shown, found))}")


def _is_labelme(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    return b'"shapes"' in head or b'"imagePath"' in head


def _labelme_image(path: Path, record: Mapping[str, Any]) -> str:
    """The image of a file of polygons: where it says, else beside it with the same name."""
    name = str(record["imagePath"]).replace("\\", "/")
    for image in (path.parent / name, path.parent / os.path.basename(name)):
        if image.is_file():
            return os.path.normpath(image)
    raise DataError(f"{shown(path)}: its image {name!r} is neither where it says nor beside it")
