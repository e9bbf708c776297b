"""What was found, before a data set is built from it."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...modules.datasets.classes import ClassRow
from ...modules.datasets.listed import pair_line
from ...modules.utils.errors import DataError

Pair = tuple[str, str]  # paths of an image and its label file

TRAIN = ("train", "training", "trainset")
VAL = ("val", "valid", "validation", "valset", "test", "testing", "testset")  # the first that is there is taken
VAL_SHARE = 0.2  # of images that are in no set


@dataclass
class Layout:
    """A data set as `SEGMENTOR_CFG['dataset']` describes it.

    Attributes:
        name: of the layout, for people.
        dataset: `type`, `rootdir` and what both sets share.
        train, val: what each set adds.
        sources: where each set was found, in words.
        lists: text files to write, name -> lines; `train` and `val` refer to them as `LIST:<name>`.
        notes: what was decided on the way and is worth a look.
    """

    name: str
    dataset: dict[str, Any]
    train: dict[str, Any]
    val: dict[str, Any]
    sources: dict[str, str]
    lists: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def listed_layout(
    name: str,
    root: Path,
    sets: Mapping[str, Sequence[Pair]],
    rows: Sequence[ClassRow],
    sources: Mapping[str, str],
    notes: Sequence[str] = (),
) -> Layout:
    """Describe pairs as a `ListedDataset`.

    Args:
        sets: the pairs of `train` and `val`; where `val` is missing, some of train's are set aside.
    """
    root = Path(os.path.abspath(root))
    pairs, where = {part: list(entries) for part, entries in sets.items()}, dict(sources)
    if "val" not in pairs:
        pairs["train"], pairs["val"] = set_aside(pairs["train"])
        where["val"] = f"every fifth image or so of {where['train']}, chosen by the hash of its name"
    return Layout(
        name,
        {"type": "ListedDataset", "rootdir": str(root), "classes": as_entries(rows)},
        {"pairs": "LIST:train"},
        {"pairs": "LIST:val"},
        where,
        {part: [pair_line(_below(image, root), _below(label, root)) for image, label in pairs[part]] for part in pairs},
        list(notes),
    )


def as_entries(rows: Sequence[ClassRow]) -> list[list[Any]]:
    """Return class rows as a config writes them."""
    return [[row.number, row.name, *(row.colour or ())] for row in rows]


def set_aside(items: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Part items in a training and a validation set, the same way each time, at least one in each.

    What is in which set depends on names only: an image that is added moves no other one by much.
    """
    if len(items) < 2:
        raise DataError(f"there are {len(items)} samples; at least two are needed, one of them for validation")

    def place(item: Any) -> str:
        name = item if isinstance(item, str) else item[0]
        return hashlib.sha256(os.path.basename(name).encode("utf-8", "surrogateescape")).hexdigest()

    order = sorted(items, key=place)
    chosen = {id(item) for item in order[: max(1, round(VAL_SHARE * len(order)))]}
    return [item for item in items if id(item) not in chosen], [item for item in items if id(item) in chosen]


def chosen_sets(names: Sequence[str]) -> tuple[str | None, str | None]:
    """Return which of the names mean the training and the validation set; None where none does."""
    known = {name.lower(): name for name in names}
    train, val = (next((known[word] for word in words if word in known), None) for words in (TRAIN, VAL))
    return train, val


def sibling(path: Path) -> Path | None:
    """Return the file beside `path` for the validation set, where its name says `train`."""
    match = re.search(r"train(ing)?", path.stem, re.IGNORECASE)
    if match is None:
        return None
    for word in VAL:
        other = path.with_name(path.stem[: match.start()] + word + path.stem[match.end() :] + path.suffix)
        if other.is_file():
            return other
    return None


def _below(path: str, root: Path) -> str:
    """`path` relative to `root` where it lies below it."""
    path = os.path.abspath(os.path.join(root, path))
    return os.path.relpath(path, root) if Path(path).is_relative_to(root) else path
