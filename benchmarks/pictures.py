"""Data sets of generated, photo-like pictures in the sizes and file formats of public ones."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np


@dataclass(frozen=True)
class Kind:
    """What the files of a data set are like, and how experiments train on them."""

    type: str
    size: tuple[int, int]  # height, width
    extension: str
    numbers: tuple[int, ...]  # that label files hold
    regions: int
    output_size: tuple[int, int]
    crop_size: tuple[int, int]
    real: str = ""  # images of this kind among the samples of public data sets, as a pattern
    real_labels: dict[str, str] = field(default_factory=dict)  # folder of images -> folder of their label maps


CITY = {
    "type": "CityScapesDataset",
    "size": (1024, 2048),
    "numbers": tuple(range(34)),
    "regions": 120,
    "output_size": (2048, 1024),
    "crop_size": (512, 1024),
}
KINDS = {
    "ADE20k": Kind(
        "ADE20kDataset",
        (512, 683),
        ".jpg",
        tuple(range(151)),
        40,
        (2048, 512),
        (512, 512),
        "ADE20k/ADEChallengeData2016/images/*/*.jpg",
        {"images": "annotations"},
    ),
    "VOC": Kind(
        "VOCDataset",
        (375, 500),
        ".jpg",
        (*range(21), 255),
        12,
        (2048, 512),
        (512, 512),
        "VOC/VOCdevkit/VOC2012/JPEGImages/*.jpg",
        {"JPEGImages": "SegmentationClass"},
    ),
    "Cityscapes PNG": Kind(
        **CITY,
        extension=".png",
        real="Cityscapes/leftImg8bit/train/aachen/*.png",
        real_labels={"leftImg8bit": "gtFine"},
    ),
    "Cityscapes JPEG": Kind(**CITY, extension=".jpg"),
}


def write_tree(root: Path, kind: Kind, number: int, seed: int = 0) -> None:
    """Write `number` pictures with label maps as the data set class looks for them."""
    random = np.random.Generator(np.random.PCG64(seed))
    for index in range(number):
        label = label_map(random, kind)
        image = picture(random, label)
        for path, array in zip(prepared_paths(root, kind, index), (image, label), strict=True):
            cv2.imwrite(str(path), array, [cv2.IMWRITE_JPEG_QUALITY, 85] if path.suffix == ".jpg" else [])
    write_list(root, kind, number)


def copy_real(root: Path, kind: Kind, samples: Path) -> None:
    """Lay out the real pictures of this kind that `samples` holds in the same way."""
    images = sorted(samples.glob(kind.real))
    for index, image in enumerate(images):
        label = Path(*(kind.real_labels.get(part, part) for part in image.parts)).with_suffix(".png")
        label = label.with_name(label.name.replace("leftImg8bit", "gtFine_labelIds"))
        for path, source in zip(prepared_paths(root, kind, index), (image, label), strict=True):
            shutil.copy(source, path)
    write_list(root, kind, len(images))


def prepared_paths(root: Path, kind: Kind, index: int) -> tuple[Path, Path]:
    """Return where an image and its label map belong, their folders made."""
    found = paths(root, kind, f"picture_{index:05d}")
    for path in found:
        path.parent.mkdir(parents=True, exist_ok=True)
    return found


def write_list(root: Path, kind: Kind, number: int) -> None:
    """Write the list of ids."""
    path, form = {
        "ADE20kDataset": (root / "ADEChallengeData2016" / "train.txt", "{}"),
        "VOCDataset": (root / "ImageSets" / "Segmentation" / "train.txt", "{}"),
        "CityScapesDataset": (root / "train.txt", "city/{}_leftImg8bit"),
    }[kind.type]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(form.format(f"picture_{index:05d}") + "\n" for index in range(number)))


def paths(root: Path, kind: Kind, name: str) -> tuple[Path, Path]:
    """Return where an image and its label map lie."""
    if kind.type == "ADE20kDataset":
        base = root / "ADEChallengeData2016"
        return base / "images/training" / f"{name}.jpg", base / "annotations/training" / f"{name}.png"
    if kind.type == "VOCDataset":
        return root / "JPEGImages" / f"{name}.jpg", root / "SegmentationClass" / f"{name}.png"
    image = root / "leftImg8bit/train/city" / f"{name}_leftImg8bit{kind.extension}"
    return image, root / "gtFine/train/city" / f"{name}_gtFine_labelIds.png"


def label_map(random: np.random.Generator, kind: Kind) -> np.ndarray:
    """Regions with wavy borders: the nearest of some points, on a grid that noise has bent."""
    height, width = kind.size
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    rows += noise(random, kind.size, steepness=1.9) * height / 12
    columns += noise(random, kind.size, steepness=1.9) * height / 12
    points = random.random((kind.regions, 2), dtype=np.float32) * kind.size
    numbers = random.choice(kind.numbers, kind.regions)
    label = np.zeros(kind.size, np.uint8)
    nearest = np.full(kind.size, np.inf, np.float32)
    for (row, column), value in zip(points, numbers, strict=True):
        distance = (rows - row) ** 2 + (columns - column) ** 2
        closer = distance < nearest
        label[closer], nearest[closer] = value, distance[closer]
    return label


def picture(random: np.random.Generator, label: np.ndarray) -> np.ndarray:
    """A colour for each region, light that changes over the picture, and the grain of a photograph."""
    colours = random.integers(30, 220, (256, 3)).astype(np.float32)
    image = colours[label]
    for channel in range(3):
        image[..., channel] += 22 * noise(random, label.shape, steepness=1.4)
    image += 1.5 * random.standard_normal(label.shape, np.float32)[..., None]
    return image.clip(0, 255).astype(np.uint8)


def noise(random: np.random.Generator, size: tuple[int, ...], steepness: float) -> np.ndarray:
    """Noise (H, W) float32 of variance 1 whose amplitudes fall with a power of the frequency, as in photographs."""
    height, width = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf
    shape = frequency.shape
    spectrum = (random.standard_normal(shape) + 1j * random.standard_normal(shape)) / frequency**steepness
    values = np.fft.irfft2(spectrum, s=(height, width)).astype(np.float32)
    return values / values.std()
