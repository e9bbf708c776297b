"""A clean data set, and faults to plant in it: each says which kinds of findings it must lead to, in which file."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ssseg.modules.utils.images import read_label, write_png
from tests.trees import folder_tree, make_image, make_labels, write_image, write_label

SIZE = (48, 64)  # height, width
IMAGE, LABEL = "images/train/train_1.png", "labels/train/train_1.png"

Plant = Callable[[Path], None]
FAULTS: dict[str, tuple[Plant, list[str], str]] = {}


def clean_tree(root: Path) -> Path:
    """A `FolderDataset` without faults: four images to train on, two to test on, three classes."""
    return folder_tree(root, size=SIZE, ext=".png")


def fault(file: str, *kinds: str) -> Callable[[Plant], Plant]:
    """Register a fault that leads to findings of these kinds, the first of them in `file`."""

    def register(plant: Plant) -> Plant:
        FAULTS[plant.__name__] = (plant, sorted(kinds), file)
        return plant

    return register


def relabel(root: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    write_png(root / LABEL, change(read_label(root / LABEL)))


def resave(root: Path, change: Callable[[Image.Image], Image.Image], **options) -> None:
    with Image.open(root / IMAGE) as picture:
        changed = change(picture.copy())
    changed.save(root / IMAGE, "PNG", **options)


def turned(**options) -> dict:
    exif = Image.Exif()
    exif[0x0112] = options["orientation"]
    return {"exif": exif.tobytes()}


@fault(IMAGE, "unreadable-image")
def truncated_image(root):
    (root / IMAGE).write_bytes((root / IMAGE).read_bytes()[:200])


@fault(IMAGE, "foreign-image")
def web_page_instead_of_an_image(root):
    (root / IMAGE).write_text("<html>404</html>")


@fault(IMAGE, "foreign-image")
def empty_image(root):
    (root / IMAGE).write_bytes(b"")


@fault(IMAGE, "unreadable-image")
def link_to_nowhere(root):
    (root / IMAGE).unlink()
    (root / IMAGE).symlink_to("nowhere")


@fault(IMAGE, "blank-image")
def image_of_one_colour(root):
    write_image(root / IMAGE, np.full((*SIZE, 3), 7, np.uint8))


@fault(IMAGE, "tiny-image")
def thumbnail(root):
    write_image(root / IMAGE, make_image(make_labels(1, 3, (8, 10)), 1))
    write_label(root / LABEL, make_labels(1, 3, (8, 10)))


@fault(IMAGE, "exif-rotation")
def turned_image_with_a_turned_label(root):
    resave(root, lambda picture: picture, **turned(orientation=6))
    relabel(root, lambda labels: np.rot90(labels, 3))


@fault(LABEL, "size-mismatch", "exif-rotation")
def turned_image_with_an_upright_label(root):
    resave(root, lambda picture: picture, **turned(orientation=6))


@fault(IMAGE, "grey-image")
def grey_image(root):
    resave(root, lambda picture: picture.convert("L"))


@fault(IMAGE, "alpha-image")
def image_with_alpha(root):
    resave(root, lambda picture: picture.convert("RGBA"))


@fault(IMAGE, "palette-image")
def image_with_a_palette(root):
    resave(root, lambda picture: picture.quantize(64))


@fault(IMAGE, "16-bit-image")
def image_of_16_bits(root):
    write_image(root / IMAGE, cv2.imread(str(root / IMAGE)).astype(np.uint16) * 257)


@fault(IMAGE, "cmyk-image", "wrong-extension")
def image_for_print(root):
    with Image.open(root / IMAGE) as picture:
        changed = picture.convert("CMYK")
    changed.save(root / IMAGE, "JPEG")


@fault(IMAGE, "wrong-extension")
def jpeg_called_png(root):
    with Image.open(root / IMAGE) as picture:
        changed = picture.copy()
    changed.save(root / IMAGE, "JPEG", quality=95)


@fault("images/val/val_0.png", "same-image-in-two-sets")
def training_image_to_test_on(root):
    image = cv2.imread(str(root / IMAGE))
    cv2.imwrite(
        str(root / "images/val/val_0.png"), image, [cv2.IMWRITE_PNG_COMPRESSION, 0]
    )  # other bytes, same picture


@fault("images/train/train_2.png", "duplicate-image")
def image_twice(root):
    shutil.copy(root / IMAGE, root / "images/train/train_2.png")


@fault(LABEL, "missing-label")
def no_label(root):
    (root / LABEL).unlink()


@fault(LABEL, "label-without-image")
def no_image(root):
    (root / IMAGE).unlink()


@fault(LABEL, "unreadable-label")
def truncated_label(root):
    (root / LABEL).write_bytes((root / LABEL).read_bytes()[:60])


@fault(LABEL, "foreign-label")
def text_instead_of_a_label(root):
    (root / LABEL).write_text("0 0 1 1\n")


@fault(LABEL, "lossy-label", "wrong-extension")
def jpeg_label(root):
    labels = read_label(root / LABEL)
    Image.fromarray(labels).save(root / LABEL, "JPEG")


@fault(LABEL, "lossy-label")
def interpolated_label(root):
    relabel(root, lambda labels: cv2.resize(labels * 100, None, fx=0.7, fy=0.7)[:, : SIZE[1]])
    relabel(root, lambda labels: cv2.resize(labels, SIZE[::-1], interpolation=cv2.INTER_CUBIC))


@fault(LABEL, "unknown-label")
def unknown_number(root):
    relabel(root, lambda labels: np.where(np.arange(SIZE[1]) == 5, 7, labels))


@fault(LABEL, "unknown-label", "16-bit-label")
def stretched_to_16_bits(root):
    relabel(root, lambda labels: labels.astype(np.uint16) * 257)


@fault(LABEL, "unknown-label", "16-bit-label")
def numbers_of_objects(root):
    relabel(root, lambda labels: labels.astype(np.uint16) * 1000)


@fault(LABEL, "16-bit-label")
def label_of_16_bits(root):
    Image.fromarray(read_label(root / LABEL).astype(np.uint16)).save(root / LABEL)


@fault(LABEL, "unknown-colour")
def unknown_colour(root):
    colours = np.zeros((*SIZE, 3), np.uint8)
    colours[3, 4] = 1, 2, 3
    write_png(root / LABEL, colours)


@fault(LABEL, "unusable-label")
def coloured_label_of_16_bits(root):
    cv2.imwrite(str(root / LABEL), np.zeros((*SIZE, 3), np.uint16))


@fault(LABEL, "empty-label")
def all_ignored(root):
    relabel(root, lambda labels: np.full_like(labels, 255))


@fault(LABEL, "size-mismatch")
def smaller_label(root):
    relabel(root, lambda labels: labels[:-1])


@fault(LABEL, "palette-order")
def palette_in_another_order(root):
    palette = [(0, 0, 0), (40, 220, 40), (220, 40, 40)]  # the classes are black, red, green
    write_png(root / LABEL, read_label(root / LABEL), palette)


@fault("train", "unseen-class", "untrained-class")
def class_that_is_tested_only(root):
    for path in (root / "labels/train").iterdir():
        write_png(path, np.minimum(read_label(path), 1))


@fault("train", "unseen-class")
def class_without_pixels(root):
    with (root / "classes.txt").open("a") as table:
        table.write("9\tunicorn\t1\t2\t3\n")


@fault("train", "unusable-set")
def class_table_with_an_error(root):
    (root / "classes.txt").write_text("0 ground\n1 thing\n")


@fault("val", "unusable-set")
def set_without_images(root):
    for path in (root / "images/val").iterdir():
        path.unlink()


@fault(LABEL, "unreadable-label", "unnamed-classes")
def damaged_label_without_class_table(root):
    (root / "classes.txt").unlink()
    truncated_label(root)
