"""Training an experiment's model on other data than its own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from ..modules import BuildDataset
from ..modules.datasets.options import DatasetOptions
from ..modules.utils.errors import ConfigError, ImageError
from ..modules.utils.filekinds import shown
from ..modules.utils.files import touchdirs, write_atomically
from .detect import Layout, detect

_KEPT = [option.name for option in fields(DatasetOptions)]
_PROBED = 200  # images whose headers are read
_KINDS = {"RGB": "colour", "L": "grey", "P": "palette", "RGBA": "colour with alpha", "1": "black and white"}


def use_data(cfg: Any, path: str | Path) -> str:
    """Put the data at `path` in the place of those that `cfg` names, and return a description of them.

    Lists of files that have to be written go into `<work_dir>/data`. The transforms stay those of the experiment.

    Args:
        cfg: a `SEGMENTOR_CFG`, which is changed.

    Raises:
        ConfigError, DataError: what lies there cannot be used, or the losses weigh another number of classes.
    """
    layout = detect(path)
    cfg["dataset"] = dataset_cfg_of(
        layout, cfg.get("dataset") or {}, write_lists(layout, Path(cfg["work_dir"], "data"))
    )
    sets = {"train": BuildDataset("TRAIN", None, cfg["dataset"]), "val": BuildDataset("TEST", None, cfg["dataset"])}
    for dataset in sets.values():
        dataset.check_files()
    cfg["num_classes"] = sets["train"].num_classes
    check_class_weights(cfg.get("losses") or {}, cfg["num_classes"])
    return describe(layout, sets)


def write_lists(layout: Layout, folder: Path) -> dict[str, str]:
    """Write the text files of a layout; return what stands for them in it -> their paths."""
    paths = {}
    for name, lines in layout.lists.items():
        touchdirs(folder)
        target = (folder / f"{name}.txt").absolute()
        content = "".join(f"{line}\n" for line in lines).encode()
        write_atomically(target, partial(_write, content))
        paths[f"LIST:{name}"] = str(target)
    return paths


def _write(content: bytes, stream: BinaryIO) -> None:
    stream.write(content)


def dataset_cfg_of(layout: Layout, previous: Mapping[str, Any], lists: Mapping[str, str]) -> Any:
    """Return `SEGMENTOR_CFG['dataset']` for a layout, with the transforms and options of the one before."""
    from ..configs._base_ import DatasetConfig

    parts: dict[str, Any] = {}
    for part, own in (("train", layout.train), ("test", layout.val)):
        kept = {key: value for key, value in (previous.get(part) or {}).items() if key in _KEPT}
        parts[part] = kept | {key: lists.get(value, value) for key, value in own.items()}
    shared = {key: value for key, value in previous.items() if key in _KEPT}
    return DatasetConfig(**layout.dataset, **shared, **parts)


def check_class_weights(losses: Mapping[str, Any], num_classes: int) -> None:
    """Raise a ConfigError where a loss has weights for another number of classes."""
    for name, entries in losses.items():
        for place, entry in enumerate(entries if isinstance(entries, list | tuple) else [entries]):
            weights = entry.get("class_weight") if isinstance(entry, Mapping) else None
            if isinstance(weights, Sequence) and not isinstance(weights, str) and len(weights) != num_classes:
                path = f"losses.{name}{f'.{place}' if isinstance(entries, list | tuple) else ''}.class_weight"
                raise ConfigError(
                    f"SEGMENTOR_CFG {path}: holds {len(weights)} weights, but the data have {num_classes} classes. "
                    f"Take it out with the override ~{path}, or give {num_classes} numbers."
                )


def describe(layout: Layout, sets: Mapping[str, Any]) -> str:
    """Say what was found: layout, sets, sizes, classes with numbers and colours, what is ignored, what was decided."""
    train = sets["train"]
    label_map = train.label_map
    lines = [f"{'layout':9}{layout.name} ({layout.dataset['type']})", f"{'folder':9}{shown(layout.dataset['rootdir'])}"]
    lines += [
        f"{part:9}{len(dataset.imageids)} images from {layout.sources.get(part)}" for part, dataset in sets.items()
    ]
    lines.append(f"{'images':9}{_sizes([train.image_path(imageid) for imageid in train.imageids])}")
    ignored = sorted(raw for raw, label in label_map.raw_to_label.items() if label == label_map.ignore_index)
    width = max(map(len, label_map.classnames))
    lines.append(f"{'classes':9}{label_map.num_classes}: label, number in the files, name, colour")
    for label, (name, colour) in enumerate(zip(label_map.classnames, label_map.palette, strict=True)):
        lines.append(f"  {label:5}{label_map.label_to_raw[label]:7}  {name:{width}}  #{bytes(colour).hex()}")
    shown_ignored = ", ".join(str(raw) for raw in ignored if raw != label_map.ignore_index) or "nothing"
    lines.append(f"{'ignored':9}{shown_ignored} (label {label_map.ignore_index})")
    return "\n".join(lines + [f"{'note':9}{note}" for note in layout.notes])


def _sizes(paths: Sequence[str]) -> str:
    """Sizes and kinds of images, from the headers of some of them."""
    probed = paths[:: max(1, len(paths) // _PROBED)]
    sizes, kinds = [], Counter[str]()
    for path in probed:
        try:
            with Image.open(path) as picture:
                sizes.append(picture.size)
                kinds[_KINDS.get(picture.mode, picture.mode)] += 1
        except (OSError, Image.DecompressionBombError) as error:
            raise ImageError(f"{shown(path)}: cannot be read as a picture: {error}") from error
    (least, most), (low, high) = ((min(side), max(side)) for side in zip(*sizes, strict=True))
    width, height = (str(a) if a == b else f"{a}..{b}" for a, b in ((least, most), (low, high)))
    share = f" ({len(probed)} looked at)" if len(probed) < len(paths) else ""
    text = f"{width} x {height} pixels (width x height), {', '.join(sorted(kinds))}{share}"
    return f"{text}; all are read as three channels of 8 bits" if set(kinds) != {"colour"} else text
