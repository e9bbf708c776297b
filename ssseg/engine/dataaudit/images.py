"""What is wrong, or surprising, with the image of a sample."""

import hashlib
import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from ...modules.datasets.pipelines.transforms import RandomCrop, Resize
from ...modules.utils.errors import ImageError, SSSegError
from ...modules.utils.filekinds import PICTURES, looks_like, shown
from ...modules.utils.images import orientation
from ...modules.utils.rasters import read_pixels
from ..imagechannels import moments
from .findings import Finding, finding
from .records import Record

Array = np.ndarray[Any, Any]

TINY = 16  # pixels; the shorter edge of what is hardly a photograph
EXTENSIONS = {
    "a JPEG picture": (".jpg", ".jpeg", ".jpe"),
    "a PNG picture": (".png",),
    "a GIF picture": (".gif",),
    "a BMP picture": (".bmp",),
    "a TIFF picture": (".tif", ".tiff"),
    "a PPM picture": (".ppm", ".pgm", ".pbm", ".pnm"),
    "a WebP picture": (".webp",),
}
_PNG_DEPTH = 24  # where a PNG file states its bits a sample


def examine_image(record: Record, dataset: Any) -> None:
    """Add what the image of `record` is like to it: findings, size, digest, mean."""
    path, head = record.image, beginning(record.image)
    channels = dataset.options.in_channels
    kind = looks_like(head)
    try:
        image = read_pixels(path, channels)
    except ImageError as error:
        unread = "foreign-image" if is_foreign(path, kind) else "unreadable-image"
        record.findings.append(finding(unread, path, without_place(error, path)))
        return
    height, width = record.size = image.shape[:2]
    record.digest = hashlib.blake2b(image.tobytes() + bytes(str(image.shape), "ascii"), digest_size=16).hexdigest()
    mean, deviation = moments(image)
    if channels is None:
        mean, deviation = mean[::-1], deviation[::-1]
    record.mean, record.square = tuple(mean.tolist()), tuple((mean**2 + deviation**2).tolist())
    record.findings += extension_findings(path, kind)
    if channels is None:
        record.findings += _header_findings(path, head)
    if not deviation.any():
        record.findings.append(finding("blank-image", path, f"all pixels have the colour {tuple(mean.astype(int))}"))
    if min(height, width) < TINY:
        record.findings.append(finding("tiny-image", path, f"is {width} x {height} pixels (width x height)"))
    else:
        record.findings += _below_crop(path, (height, width), dataset)


def beginning(path: str) -> bytes:
    """Return the first bytes of a file; none where it cannot be read, which reading it as a picture explains."""
    try:
        with open(path, "rb") as stream:
            return stream.read(1024)
    except (OSError, ValueError):
        return b""


def is_foreign(path: str, kind: str) -> bool:
    """Whether a file that can be read is, as `kind` of `looks_like` says, no picture."""
    return os.path.isfile(path) and os.access(path, os.R_OK) and kind not in PICTURES.values()


def extension_findings(path: str, kind: str) -> Iterator[Finding]:
    """Yield a finding where the name of a picture says another format than its contents, `kind` of `looks_like`."""
    extension = os.path.splitext(path)[1].lower()
    if kind in EXTENSIONS and extension not in EXTENSIONS[kind]:
        yield finding("wrong-extension", path, f"is {kind}, but its name ends in {extension or 'no extension'}")


def without_place(error: Exception, path: str) -> str:
    """Return the message of an error without the path that it begins with."""
    text = str(error)
    for place in (shown(path), repr(shown(path))):
        text = text.removeprefix(f"{place}: ")
    return text


def _header_findings(path: str, head: bytes) -> Iterator[Finding]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of metadata that it cannot read
        with Image.open(path) as picture:
            mode, alpha, turned = picture.mode, "transparency" in picture.info, "exif" in picture.info
    number = orientation(path) if turned else 1
    if 2 <= number <= 8:
        yield finding("exif-rotation", path, f"its EXIF orientation is {number}: it is stored turned or mirrored")
    if mode in ("L", "1", "LA", "I;16", "I"):
        yield finding("grey-image", path, f"has one channel of grey (mode {mode})")
    if mode in ("RGBA", "LA", "PA") or alpha:
        yield finding("alpha-image", path, f"has an alpha channel (mode {mode})")
    if mode == "CMYK":
        yield finding("cmyk-image", path, "has the colours of print (CMYK)")
    if mode in ("P", "PA"):
        yield finding("palette-image", path, "holds indices into a palette")
    if mode.startswith("I") or (head.startswith(b"\x89PNG") and head[_PNG_DEPTH] == 16):
        yield finding("16-bit-image", path, f"has 16 bits a channel (mode {mode})")


def _below_crop(path: str, size: tuple[int, int], dataset: Any) -> Iterator[Finding]:
    """Yield a finding where an image is smaller than the crop of the pipeline even when it is enlarged the most."""
    for transform in dataset.transforms.transforms:
        if isinstance(transform, Resize):
            scale = transform.scale_range[1] if transform.scale_range else 1
            try:
                long, short = (int(edge * scale) for edge in transform.output_size)
                size = transform.new_size(*size, (long, short))
            except SSSegError:  # so large that the transform itself refuses
                return
        elif isinstance(transform, RandomCrop):
            if size[0] < transform.crop_size[0] and size[1] < transform.crop_size[1]:
                crop = f"{transform.crop_size[1]} x {transform.crop_size[0]}"
                message = f"is {size[1]} x {size[0]} pixels (width x height) at the most where {crop} are cut out"
                yield finding("below-crop", path, message)
            return
        elif "Resize" in type(transform).__name__:
            return  # resizes of another kind aim at the crop themselves
