"""Sheets that show samples of a data set as they are stored and as training sees them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..modules.datasets.pipelines.normalize import Normalize
from ..modules.datasets.seeding import SampleKey, SeededDataset
from ..modules.utils.drawing import PAPER, Colour, Picture, contact_sheet, overlay
from ..modules.utils.files import touchdirs
from ..modules.utils.images import write_png
from ..modules.utils.labelmap import LabelMap
from ..modules.utils.rasters import as_picture

ROWS = 6  # samples on a sheet
SHARE = 0.6  # of a class's colour, over the image
MOST_NAMES = 40  # in a legend; classes that cover the most pixels come first

Row = tuple[list[Picture], str, Any]  # pictures, caption, pixels of each class


def browse(dataset: Any, out: str | Path, *, number: int = 12, seed: int = 0, epoch: int = 1) -> list[Path]:
    """Draw `number` samples, spread over a data set, and return the paths of the sheets in `out`.

    Args:
        dataset: built in mode TRAIN or TEST; its label map is transformed in mode TRAIN only.
        number: of samples; all where there are fewer.
        seed, epoch: choose the random transforms: those of a training run with this seed, in this epoch.
    """
    out = Path(out)
    touchdirs(out)
    indices = np.unique(np.linspace(0, len(dataset.imageids) - 1, number).round().astype(int)).tolist()
    paths = []
    for sheet, first in enumerate(range(0, len(indices), ROWS)):
        rows = [sample_row(dataset, index, seed, epoch) for index in indices[first : first + ROWS]]
        pixels = np.sum([row[2] for row in rows], axis=0)
        legend = legend_of(dataset.label_map, pixels)
        titles = ("image", "labels", "input", "its labels")[: len(rows[0][0])]
        path = out / f"samples_{sheet + 1:02d}.png"
        write_png(path, contact_sheet([row[0] for row in rows], titles, legend, [row[1] for row in rows]))
        paths.append(path)
    return paths


def sample_row(dataset: Any, index: int, seed: int, epoch: int) -> Row:
    """Return the pictures of a sample, RGB: image, labels over it, and where there are transforms, both after them."""
    imageid, label_map = dataset.imageids[index], dataset.label_map
    stored = dataset.read(dataset.image_path(imageid), dataset.ann_path(imageid))
    image, labels = as_picture(stored["image"]), stored["seg_target"]
    pictures = [image, overlay(image, labels, label_map.palette, SHARE)]
    if dataset.transforms.transforms or dataset.scheduled_transforms:
        sample = SeededDataset(dataset)[SampleKey(seed, epoch, index)]
        seen = as_seen(sample["image"], dataset.transforms.transforms)
        pictures.append(letterbox(seen, image.shape))
        if dataset.mode == "TRAIN":
            painted = overlay(seen, np.asarray(sample["seg_target"]).astype(np.int64), label_map.palette, SHARE)
            pictures.append(letterbox(painted, image.shape))
    counted = labels[(labels >= 0) & (labels < label_map.num_classes)]
    pixels = np.bincount(counted.ravel(), minlength=label_map.num_classes)
    share = 1 - counted.size / labels.size
    caption = f"{imageid}   {stored['width']} x {stored['height']}" + (f"   {share:.1%} ignored" if share else "")
    return pictures, caption, pixels


def as_seen(image: Any, transforms: Sequence[Any]) -> Picture:
    """Turn the image of a sample back into RGB, uint8 (H, W, 3): undo `ToTensor` and `Normalize`."""
    array = np.asarray(image, np.float32)
    if not isinstance(image, np.ndarray):
        array = array.transpose(1, 2, 0)
    normalize = next((transform for transform in transforms if isinstance(transform, Normalize)), None)
    if normalize is not None:
        array = array * normalize.std + normalize.mean
        array = array[..., ::-1] if normalize.to_rgb else array
    return as_picture(array.clip(0, 255).round().astype(np.uint8))


def letterbox(picture: Picture, shape: Sequence[int]) -> Picture:
    """Add margins so that a picture gets the aspect ratio of `shape` (height, width, ...)."""
    height, width = picture.shape[:2]
    tall = max(height, round(width * shape[0] / shape[1]))
    wide = max(width, round(height * shape[1] / shape[0]))
    framed = np.full((tall, wide, 3), PAPER, np.uint8)
    top, left = (tall - height) // 2, (wide - width) // 2
    framed[top : top + height, left : left + width] = picture
    return framed


def legend_of(label_map: LabelMap, pixels: Any) -> Mapping[str, Colour]:
    """Return the colours of the classes that are seen, the largest first."""
    order = [label for label in np.argsort(-pixels, kind="stable").tolist() if pixels[label]][:MOST_NAMES]
    return {label_map.classnames[label]: label_map.palette[label] for label in order}
