"""Which picture files are images, which are their label maps, and which belong together, from their names alone."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePath

from ...modules.datasets.paths import IMAGE_EXTENSIONS
from ...modules.utils.errors import DataError, listed
from ...modules.utils.filekinds import shown
from .layout import TRAIN, VAL, Pair

IMAGES = set("image images img imgs jpegimages photo photos picture pictures input inputs rgb leftimg8bit".split())
LABELS = set(
    "label labels mask masks annotation annotations ann anns gt groundtruth target targets seg segmentation "
    "segmentations segmentationclass semseg manual".split()
)
_LABEL_SUFFIX = re.compile(r"(.+?)[._-](?:masks?|labels?|gt|seg|segmentation|groundtruth|annotation)$", re.IGNORECASE)
_IMAGE_SUFFIX = re.compile(r"(.+?)[._-](?:image|img|sat|rgb)$", re.IGNORECASE)
_IN_LABEL_FOLDER = re.compile(r"(.+?)_L$")  # as CamVid names its files; elsewhere it may mean left
_SPLITS = (*TRAIN, *VAL)

Key = tuple[str, ...]


def pictures_below(root: Path) -> list[str]:
    """Return the paths of all picture files below `root`, relative to it, sorted; hidden ones are left out."""
    found, seen = [], set()
    for folder, folders, names in os.walk(root, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if os.path.realpath(folder) in seen:  # links in a circle
            folders.clear()
            continue
        seen.add(os.path.realpath(folder))
        below = PurePath(os.path.relpath(folder, root))
        found += [(below / name).as_posix() for name in names if is_picture(name)]
    return sorted(found)


def is_picture(name: str) -> bool:
    """Whether a file that is not hidden has the name of a picture."""
    return name.lower().endswith(IMAGE_EXTENSIONS) and not name.startswith(".")


def pair_up(root: Path, paths: Iterable[str]) -> tuple[dict[str, list[Pair]], list[str]]:
    """Pair images with label maps: `images/a.jpg` and `masks/a.png`, `train_images/a.jpg` and `train_labels/a.png`,
    `a.jpg` and `a_mask.png`; where nothing is called so, `a.jpg` and `a.png`.

    Returns:
        The pairs of each set that folder names tell apart, "" for those of none; and notes.

    Raises:
        DataError: there are no pairs, a file has no partner or several; the message says what was looked for.
    """
    images: dict[Key, list[str]] = defaultdict(list)
    labels: dict[Key, list[str]] = defaultdict(list)
    for path in paths:
        key, is_label = key_of(path)
        (labels if is_label else images)[key].append(path)
    for key, names in images.items() if not labels else ():
        if sorted(PurePath(name).suffix.lower() for name in names) in ([".jpeg", ".png"], [".jpg", ".png"]):
            labels[key] = [names.pop([name[-3:].lower() for name in names].index("png"))]
    if not images or not labels:
        raise DataError(
            f"{shown(root)}: there are {sum(map(len, images.values()))} images and {sum(map(len, labels.values()))} "
            f"label maps. Looked for folders called {listed(sorted(IMAGES))} and {listed(sorted(LABELS))}, for file "
            f"names like a_mask.png beside a.jpg, for the layouts of PASCAL VOC, Cityscapes and ADE20K, for files of "
            f"COCO and LabelMe, and for train.txt with lines `image<TAB>label map`."
        )
    for kind, found in (("images", images), ("label maps", labels)):
        double = next((names for names in found.values() if len(names) > 1), None)
        if double:
            raise DataError(f"{shown(root)}: these {kind} would belong to one sample: {listed(double, limit=4)}")
    alone = [labels[key][0] for key in labels.keys() - images.keys()]
    if alone:
        raise DataError(_unpaired(root, "label maps", "an image", alone, len(labels), images))
    notes = []
    bare = sorted(images.keys() - labels.keys())
    unlabelled = {key for key in bare if split_of(key).startswith("test")}
    if set(bare) - unlabelled:
        names = [images[key][0] for key in bare if key not in unlabelled]
        raise DataError(_unpaired(root, "images", "a label map", names, len(images), labels))
    if unlabelled:
        notes.append(f"{len(unlabelled)} test images without label maps are left out")
    sets: dict[str, list[Pair]] = defaultdict(list)
    for key in sorted(labels):
        sets[split_of(key)].append((images[key][0], labels[key][0]))
    return dict(sets), notes


def key_of(path: str) -> tuple[Key, bool]:
    """Return what an image and its label map have in common in their paths, and whether `path` is a label map."""
    *folders, name = PurePath(path).parts
    key, is_label = [], False
    for folder in folders:
        words = re.split(r"[_\s.-]+", folder.lower())
        is_label |= any(word in LABELS for word in words)
        rest = [word for word in words if word not in IMAGES | LABELS]
        key += ["_".join(rest)] if rest else []
    stem = os.path.splitext(name)[0]
    if match := _LABEL_SUFFIX.match(stem):
        return (*key, match[1]), True
    match = (_IN_LABEL_FOLDER if is_label else _IMAGE_SUFFIX).match(stem)
    stem = match[1] if match else stem
    return (*key, stem), is_label


def split_of(key: Key) -> str:
    """Return the name of the set that a folder of the key is called after, as `train` or `train2017`, or nothing."""
    words = (word.rstrip("0123456789") for word in key[:-1])
    return next((word for word in words if word in _SPLITS), "")


def _unpaired(root: Path, kind: str, partner: str, names: list[str], total: int, others: dict[Key, list[str]]) -> str:
    other = next(iter(others.values()))[0]
    return (
        f"{shown(root)}: {len(names)} of {total} {kind} lack {partner} of the same name, such as "
        f"{listed(sorted(names), limit=3)}; there is, for example, {other}. Give both the same name, or list the pairs "
        f"as `image<TAB>label map` in a text file and train with --data on that."
    )
