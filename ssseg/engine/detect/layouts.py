"""From a path to the layout of what lies there."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from ...modules.datasets.classes import read_classes
from ...modules.datasets.folder import LABEL_FOLDERS
from ...modules.datasets.ids import read_ids
from ...modules.datasets.listed import read_pairs
from ...modules.utils.errors import ConfigError, DataError
from ...modules.utils.filekinds import shown
from .annotated import coco_layout, find_coco, find_labelme
from .benchmarks import find_ade20k, find_cityscapes, find_voc
from .classfinding import find_rows
from .layout import TRAIN, VAL, Layout, Pair, chosen_sets, listed_layout, sibling
from .pairing import pair_up, pictures_below


def detect(path: str | Path) -> Layout:
    """Find out what data lie at `path`: a folder, an annotation file of COCO, or a text file of pairs.

    Raises:
        ConfigError: there is nothing there, or it could be several things.
        DataError: it is nothing that is known, or not whole; the message says what was looked for and what is there.
    """
    path = Path(path).absolute()
    if path.is_file():
        if path.suffix == ".json":
            return coco_layout(path, sibling(path))
        if path.suffix in (".txt", ".lst", ".csv", ".tsv"):
            return pairs_layout(path, sibling(path))
        raise ConfigError(f"--data {shown(path)}: give a folder, a .json file of COCO, or a .txt file of pairs")
    if not path.is_dir():
        raise ConfigError(f"--data {shown(path)}: there is no such folder or file")
    for find in (find_cityscapes, find_ade20k, find_voc, find_lists, find_folder, find_coco, find_labelme):
        layout = find(path)
        if layout is not None:
            return layout
    try:
        return find_pairs(path)
    except DataError as error:
        if reason := unused_list(path):
            raise DataError(f"{error} {reason}") from error
        raise


def find_lists(root: Path) -> Layout | None:
    """`train.txt`, and perhaps `val.txt`, whose lines are `image<TAB>label map`."""
    for name in TRAIN:
        path = root / f"{name}.txt"
        if path.is_file():
            try:
                first = read_pairs(path)[0]
            except DataError:  # a list of ids, perhaps
                return None
            if all((root / entry).is_file() for entry in first):
                return pairs_layout(path, sibling(path))
    return None


def unused_list(root: Path) -> str:
    """Say why a `train.txt` is no list of pairs; nothing where there is none."""
    for path in (root / f"{name}.txt" for name in TRAIN):
        if path.is_file():
            try:
                absent = [entry for entry in read_pairs(path)[0] if not (root / entry).is_file()]
            except DataError as error:
                return f"{error}."
            if absent:
                return f"{path.name} lists {absent[0]!r}, which is not there."
    return ""


def pairs_layout(train: Path, val: Path | None) -> Layout:
    """Describe text files of pairs; their relative paths start from their folder."""
    root = train.parent
    sets: dict[str, list[Pair]] = {"train": read_pairs(train)}
    sources = {"train": train.name}
    if val:
        sets["val"], sources["val"] = read_pairs(val), val.name
    labels = [str(root / label) for pairs in sets.values() for _, label in pairs]
    absent = [label for label in labels if not Path(label).is_file()]
    if absent:
        raise DataError(f"{shown(train)}: {len(absent)} label maps are missing, the first is {shown(absent[0])}")
    rows, notes = find_rows(root, labels)
    return listed_layout("a list of pairs", root, sets, rows, sources, notes)


def find_folder(root: Path) -> Layout | None:
    """What `FolderDataset` reads: images and labels, a table of classes, and two sets."""
    if not (root / "images").is_dir() or not any((root / name).is_dir() for name in LABEL_FOLDERS):
        return None
    folders = [entry.name for entry in sorted((root / "images").iterdir()) if entry.is_dir()]
    lists = [path.stem for parent in (root, root / "splits") for path in sorted(parent.glob("*.txt"))]
    train, val = chosen_sets(folders) if any(chosen_sets(folders)) else chosen_sets(lists)
    if train is None or val is None or read_classes(root) is None:
        return None
    sources = {
        part: f"images/{name}" if name in folders else f"{name}.txt" for part, name in (("train", train), ("val", val))
    }
    dataset = {"type": "FolderDataset", "rootdir": str(root)}
    return Layout("images and label maps in folders", dataset, {"set": train}, {"set": val}, sources)


def find_pairs(root: Path) -> Layout:
    """Images and label maps that belong together by their names."""
    sets, notes = pair_up(root, pictures_below(root))
    train, val = chosen_sets(list(sets))
    if train is None and "" in sets and (lists := id_lists(root)):
        sets, sources = by_ids(lists, sets[""]), {part: str(path.relative_to(root)) for part, path in lists.items()}
        rows, more = find_rows(root, [str(root / label) for pairs in sets.values() for _, label in pairs])
        return listed_layout("images and label maps, with lists", root, sets, rows, sources, notes + more)
    if train is None and len(sets) > 1:
        raise DataError(f"{shown(root)}: there are the sets {sorted(sets)}, but none for training: {', '.join(TRAIN)}")
    if train is None:
        train, val = next(iter(sets)), None
    chosen = {"train": sets[train]} | ({"val": sets[val]} if val else {})
    if "" in sets and train:
        raise DataError(f"{shown(root)}: {len(sets[''])} samples are in no set, such as {sets[''][0][0]}")
    if val and val.startswith("test"):
        notes.append(f"there is none of {', '.join(VAL[:4])}: the set {val} is used for validation")
    labels = [str(root / label) for pairs in chosen.values() for _, label in pairs]
    rows, more = find_rows(root, labels)
    where = "images and label maps of the same names"
    sources = {"train": train or "all files", "val": val or ""}
    return listed_layout(where, root, chosen, rows, sources, notes + more)


def id_lists(root: Path) -> dict[str, Path]:
    """Return the lists of ids for `train` and, where there is one, for `val`."""
    for folder in (root, root / "splits"):
        lists = {path.stem: path for path in sorted(folder.glob("*.txt"))}
        train, val = chosen_sets(list(lists))
        if train:
            return {"train": lists[train]} | ({"val": lists[val]} if val else {})
    return {}


def by_ids(lists: Mapping[str, Path], pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Sort pairs into sets by lists of the names of their images, with folder and extension or without.

    Raises:
        DataError: a name is that of no image, or of several.
    """
    known: dict[str, list[Pair]] = {}
    for image, label in pairs:
        path = PurePath(image)
        for name in {image, str(path.with_suffix("")), path.name, path.stem}:
            known.setdefault(name, []).append((image, label))
    sets = {}
    for part, file in lists.items():
        ids = read_ids(file)
        wrong = [name for name in ids if len(known.get(name, ())) != 1]
        if wrong:
            several = f"{len(known[wrong[0]])} images have" if wrong[0] in known else "no image with a label map has"
            raise DataError(f"{shown(file)}: {several} the name {wrong[0]!r} ({len(wrong)} such lines of {len(ids)})")
        sets[part] = [known[name][0] for name in ids]
    return sets
