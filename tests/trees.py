"""Small data sets, written to disk in the layouts that are read."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ssseg.modules.utils.images import write_png

SIZE = (6, 8)  # height, width
COLOURS = ((0, 0, 0), (220, 40, 40), (40, 220, 40), (40, 40, 220))  # of the labels 0, 1, 2, 3


def make_labels(number: int, num_classes: int = 3, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Labels (H, W) uint8 of sample `number`: all classes, in rectangles that differ from sample to sample."""
    height, width = size
    rows = (np.arange(height)[:, None] + number) * 2 // height
    columns = (np.arange(width)[None] + 2 * number) * num_classes // width
    return ((rows + columns) % num_classes).astype(np.uint8)


def make_image(labels: np.ndarray, number: int) -> np.ndarray:
    """An image (H, W, 3) uint8 BGR whose colours show the labels, with some noise."""
    rng = np.random.default_rng(number)
    colours = np.array(COLOURS)[labels % len(COLOURS)][..., ::-1]
    return np.clip(colours + rng.integers(-20, 20, colours.shape), 0, 255).astype(np.uint8)


def write_image(path: Path, image: np.ndarray) -> Path:
    """Write (H, W, 3) uint8 BGR in the format of the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


def write_label(path: Path, labels: np.ndarray, palette: Sequence[Sequence[int]] | None = None) -> Path:
    """Write (H, W) integers, or (H, W, 3) RGB colours, as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, labels, palette)
    return path


def write_pair(image: Path, label: Path, number: int, num_classes: int = 3, size: tuple[int, int] = SIZE) -> None:
    """Write sample `number`: its image and its label map."""
    labels = make_labels(number, num_classes, size)
    write_image(image, make_image(labels, number))
    write_label(label, labels)


def folder_tree(
    root: Path, train: int = 4, val: int = 2, num_classes: int = 3, size: tuple[int, int] = SIZE, ext: str = ".jpg"
) -> Path:
    """A `FolderDataset`: classes.txt, images/{train,val}, labels/{train,val}; ids are `train_0`, ..., `val_0`, ...."""
    for split, count in (("train", train), ("val", val)):
        for number in range(count):
            name = f"{split}_{number}"
            image, label = root / "images" / split / f"{name}{ext}", root / "labels" / split / f"{name}.png"
            write_pair(image, label, number + 100 * (split == "val"), num_classes, size)
    rows = (f"{label}\tclass {label}\t{red}\t{green}\t{blue}" for label, (red, green, blue) in enumerate(COLOURS))
    (root / "classes.txt").write_text("\n".join(list(rows)[:num_classes]) + "\n")
    return root


def voc_tree(root: Path, train: int = 2, val: int = 1, size: tuple[int, int] = SIZE) -> Path:
    """A `VOCDataset`; its label maps have palettes and hold 255 in the first row."""
    for split, count in (("train", train), ("val", val)):
        ids = [f"2007_{number:06d}" for number in range(100 * (split == "val"), 100 * (split == "val") + count)]
        for imageid in ids:
            labels = make_labels(int(imageid[5:]), 21, size)
            labels[0] = 255
            write_image(root / "JPEGImages" / f"{imageid}.jpg", make_image(labels, int(imageid[5:])))
            palette = [((7 * number) % 256, (13 * number) % 256, (29 * number) % 256) for number in range(256)]
            write_label(root / "SegmentationClass" / f"{imageid}.png", labels, palette)
        write_list(root / "ImageSets" / "Segmentation" / f"{split}.txt", ids)
    return root


def drive_tree(root: Path, train: int = 2, val: int = 1, size: tuple[int, int] = SIZE) -> Path:
    """A `DRIVEDataset`."""
    for split, folder, first, count in (("train", "training", 21, train), ("val", "validation", 1, val)):
        stems = [f"{number:02d}_{folder}" for number in range(first, first + count)]
        for number, stem in enumerate(stems):
            image = root / "images" / folder / f"{stem}.png"
            write_pair(image, root / "annotations" / folder / f"{stem}_manual1.png", number, 2, size)
        write_list(root / f"{split}.txt", [f"{stem}.png" for stem in stems])
    return root


def write_list(path: Path, ids: Sequence[str]) -> Path:
    """Write ids, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{imageid}\n" for imageid in ids), encoding="utf-8")
    return path
