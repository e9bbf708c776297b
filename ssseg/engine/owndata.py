"""Training an experiment's model on other data than its own."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ..modules import BuildDataset
from ..modules.datasets.options import DatasetOptions
from ..modules.utils.errors import ConfigError
from ..modules.utils.filekinds import shown
from ..modules.utils.files import touchdirs, write_atomically
from ..modules.utils.rasters import RasterHeader, read_header
from .detect import Layout, detect
from .imagechannels import fit_normalize, images_channels, normalize_problems, unusual_channels

_KEPT = [option.name for option in fields(DatasetOptions)]
_PROBED = 200  # images whose headers are read


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
    sets = opened(cfg)
    images = sets["train"]
    paths = [images.image_path(imageid) for imageid in images.imageids]
    headers = {path: read_header(path) for path in paths[:: max(1, len(paths) // _PROBED)]}
    channels = images_channels(cfg) or unusual_channels(headers)
    if channels is not None:
        cfg["dataset"]["in_channels"] = channels
        if any(normalize_problems(cfg)):
            layout.notes.append(fit_normalize(cfg["dataset"], paths, channels))
        sets = opened(cfg)
    cfg["num_classes"] = sets["train"].num_classes
    check_class_weights(cfg.get("losses") or {}, cfg["num_classes"])
    return describe(layout, sets, sizes(headers, len(paths), channels))


def opened(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """Build both data sets, and check that their files are there."""
    sets = {"train": BuildDataset("TRAIN", None, cfg["dataset"]), "val": BuildDataset("TEST", None, cfg["dataset"])}
    for dataset in sets.values():
        dataset.check_files()
    return sets


def write_lists(layout: Layout, folder: Path) -> dict[str, str]:
    """Write the text files of a layout; return what stands for them in it -> their paths."""
    paths = {}
    for name, lines in layout.lists.items():
        touchdirs(folder)
        target = (folder / f"{name}.txt").absolute()
        content = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
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


def describe(layout: Layout, sets: Mapping[str, Any], images: str) -> str:
    """Say what was found: layout, sets, images, classes with numbers and colours, what is ignored, what was decided."""
    train = sets["train"]
    label_map = train.label_map
    lines = [f"{'layout':9}{layout.name} ({layout.dataset['type']})", f"{'folder':9}{shown(layout.dataset['rootdir'])}"]
    lines += [
        f"{part:9}{len(dataset.imageids)} images from {layout.sources.get(part)}" for part, dataset in sets.items()
    ]
    lines.append(f"{'images':9}{images}")
    ignored = sorted(raw for raw, label in label_map.raw_to_label.items() if label == label_map.ignore_index)
    width = max(map(len, label_map.classnames))
    lines.append(f"{'classes':9}{label_map.num_classes}: label, number in the files, name, colour")
    for label, (name, colour) in enumerate(zip(label_map.classnames, label_map.palette, strict=True)):
        lines.append(f"  {label:5}{label_map.label_to_raw[label]:7}  {name:{width}}  #{bytes(colour).hex()}")
    shown_ignored = ", ".join(str(raw) for raw in ignored if raw != label_map.ignore_index) or "nothing"
    lines.append(f"{'ignored':9}{shown_ignored} (label {label_map.ignore_index})")
    return "\n".join(lines + [f"{'note':9}{note}" for note in layout.notes])


def sizes(headers: Mapping[str, RasterHeader], count: int, in_channels: int | None) -> str:
    """Say how large the images are, of what kind, and how they are read; `count` of them, some of which were probed."""
    widths, heights = ([getattr(header, edge) for header in headers.values()] for edge in ("width", "height"))
    kinds = {_kind(header) for header in headers.values()}
    width, height = (
        str(min(edge)) if min(edge) == max(edge) else f"{min(edge)}..{max(edge)}" for edge in (widths, heights)
    )
    share = f" ({len(headers)} looked at)" if len(headers) < count else ""
    text = f"{width} x {height} pixels (width x height), {', '.join(sorted(kinds))}{share}"
    if in_channels is not None:
        return f"{text}; read with dataset.in_channels={in_channels}"
    hint = "; dataset.in_channels=1, 3 or 4 keeps what the files hold"
    return f"{text}; all are read as three channels of 8 bits{hint}" if kinds != {"colour"} else text


def _kind(header: RasterHeader) -> str:
    name = {1: "grey", 3: "colour", 4: "colour with alpha"}.get(header.channels, f"{header.channels} channels")
    return name if header.bits == 8 else f"{name} of {header.bits} bits"
