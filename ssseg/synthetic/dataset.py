"""The embedded data set on disk."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..modules.utils.errors import DataError, ResourceError
from ..modules.utils.files import touchdirs
from .classes import CLASSES, VOID
from .scene import draw_scene

MANIFEST = "synthetic.json"
VERSION = 1  # of the scenes; to be raised when they change


def write_dataset(
    root: str | Path,
    *,
    num_train: int = 400,
    num_val: int = 60,
    num_test: int = 12,
    size: tuple[int, int] = (144, 192),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write scenes, their label maps and `classes.txt` as a plain-folder data set; what is there already stays.

        images/<set>/scene_0000.png   labels/<set>/scene_0000.png   for the sets train, val and test

    Label maps are palette PNG; 255 stands for void, the border pixels that two things share. Equal arguments give equal
    pixels on every machine, and scene k of a set does not depend on how many there are.

    Args:
        root: a folder that is empty, missing, or was written by this function.
        num_train, num_val, num_test: scenes of each set.
        size: (height, width) of the scenes, pixels.
        seed: another one gives other scenes, from 0.
        progress: is called with (scenes written, scenes in all) after each scene.

    Returns:
        `root`.

    Raises:
        DataError: `root` holds something else, or a number is out of range.
        ResourceError: it cannot be written.
    """
    root = Path(root)
    counts = {"train": num_train, "val": num_val, "test": num_test}
    least = {"size": (min(size), 32), "seed": (seed, 0), **{f"num_{name}": (n, 0) for name, n in counts.items()}}
    for name, (value, lowest) in least.items():
        if value < lowest:
            raise DataError(f"write_dataset: {name}={value} must be at least {lowest}")
    content = {"version": VERSION, "size": list(size), "seed": seed, **counts}
    found = _manifest(root)
    if found == content | {"complete": True}:
        return root
    if found is None and root.is_dir() and any(root.iterdir()):
        raise DataError(f"{root}: is not empty and holds no data set of `ssseg data synthetic`; nothing is overwritten")
    touchdirs(root)
    try:
        _write_manifest(root, content | {"complete": False})
        for folder in (root / "images", root / "labels"):
            if folder.is_dir():
                shutil.rmtree(folder)
        _write_classes(root)
        for done, (name, key) in enumerate(_names_and_keys(counts, seed), 1):
            image, labels = draw_scene(key, size)
            _write_image(root / "images" / name, image)
            _write_labels(root / "labels" / name, labels)
            if progress is not None:
                progress(done, sum(counts.values()))
        _write_manifest(root, content | {"complete": True})
    except OSError as error:
        raise ResourceError(f"{root}: the data set cannot be written: {error.strerror or error}") from error
    return root


def _names_and_keys(counts: dict[str, int], seed: int) -> Iterator[tuple[str, tuple[int, int, int]]]:
    for number, (name, count) in enumerate(counts.items()):
        for index in range(count):
            yield f"{name}/scene_{index:04d}.png", (seed, number, index)


def _manifest(root: Path) -> dict[str, Any] | None:
    """What the folder says it holds; None where it says nothing."""
    try:
        return dict(json.loads((root / MANIFEST).read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise DataError(f"{root / MANIFEST}: is damaged; remove {root} to have it written anew") from error


def _write_manifest(root: Path, content: dict[str, Any]) -> None:
    (root / MANIFEST).write_text(json.dumps(content) + "\n", encoding="utf-8")


def _write_classes(root: Path) -> None:
    rows = [*((k, name, *colour) for k, (name, colour) in enumerate(CLASSES.items())), (VOID, "void", 0, 0, 0)]
    lines = ["# id\tname\tr\tg\tb", *("\t".join(map(str, row)) for row in rows)]
    (root / "classes.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_image(path: Path, image: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes())


def _write_labels(path: Path, labels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(labels)
    colours = bytes(channel for colour in CLASSES.values() for channel in colour)
    picture.putpalette(colours.ljust(3 * 256, b"\0"))
    picture.save(path)
