"""Image and label files, read so that a file either gives its true pixels or an error that names it.

Pillow reads the header, which is checked before anything is decoded. OpenCV then decodes what it decodes faster and
right, Pillow the rest. What differs between formats is settled here, once:

* Orientation: a picture is turned as its EXIF or TIFF orientation says, image and label alike. What is read is what
  viewers and annotation tools show.
* Images become 8-bit BGR: grey is repeated, alpha is dropped, palettes are looked up, CMYK is converted, 1-bit is 0 or
  255, 16-bit keeps its high byte. 32-bit and floating-point pictures have no range and are refused.
* Labels keep the numbers that the file stores: palette indices, 1-bit as 0 and 1, 2-bit and 4-bit grey unscaled,
  16-bit as is. Colours stay colours (RGB, without alpha); `LabelMap` looks them up. Lossy formats are refused.
* Pictures of more than `MAX_PIXELS` and files with several frames are refused.
"""

import io
import os
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from .errors import ImageError, LabelError
from .filekinds import PICTURES, looks_like, shown
from .files import write_atomically

Array = np.ndarray[Any, Any]
Path = str | os.PathLike[str]

MAX_PIXELS = 178_956_970  # 512 MiB of RGB; the number at which Pillow suspects a decompression bomb, too
IMAGE_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
LABEL_FORMATS = ("PNG", "BMP", "GIF", "PPM", "TIFF")  # lossless

_ORIENTATION = 0x0112  # the tag's number in EXIF
_PNG_DEPTH = 24  # where a PNG file states its bits a sample
_GREY_MODES = ("L", "I", "I;16", "I;16B", "F")
_COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
_GREY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION


def read_image(path: Path, data: bytes | None = None) -> Array:
    """Read a picture as (H, W, 3) uint8, BGR, in the range 0..255.

    Args:
        data: the file's contents, where they were read already.

    Raises:
        ImageError: the file is missing, no picture, damaged, too large, or has several frames.
    """
    data = read_bytes(path) if data is None else data
    picture = open_picture(path, data, IMAGE_FORMATS)
    if picture.format in ("JPEG", "MPO", "PNG") and picture.mode != "CMYK":
        image = _decode(path, data, _COLOUR)
    else:
        image = _to_bgr(path, _loaded(path, data, picture))
    return upright(image, picture)


def read_label(path: Path) -> Array:
    """Read a label map as (H, W) integers (floating point only from a floating-point TIFF), or colours as (H, W, 3)
    uint8, RGB.

    Raises:
        ImageError: as `read_image`.
        LabelError: the format is lossy, or its numbers cannot be brought back exactly.
    """
    data = read_bytes(path)
    picture = open_picture(path, data, (*LABEL_FORMATS, "JPEG", "WEBP"))
    if picture.format not in LABEL_FORMATS or picture.info.get("compression") == "jpeg":
        raise LabelError(
            f"{shown(path)}: a {picture.format} file cannot hold labels: its compression changes their numbers. "
            f"Make label maps as PNG."
        )
    if picture.format == "PNG" and picture.mode in _GREY_MODES:
        label = _unscaled(_decode(path, data, _GREY), depth=data[_PNG_DEPTH])
    elif _rescaled(picture, data):
        raise LabelError(f"{shown(path)}: labels of this kind are rescaled when read; save them as 8-bit or grey PNG.")
    else:
        label = _stored(_loaded(path, data, picture))
    return upright(label, picture)


def orientation(path: Path) -> int:
    """Return the EXIF orientation of a picture, 1 (upright) to 8; ImageError where it cannot be read."""
    return _orientation(open_picture(path, read_bytes(path), IMAGE_FORMATS))


def write_png(path: Path, array: Array, palette: Sequence[Sequence[int]] | None = None) -> None:
    """Write a PNG file, whole or not at all.

    Args:
        array: (H, W) integers in 0..65535 (0..255 with a palette), or (H, W, 3) uint8, RGB.
        palette: the colour (r, g, b) that viewers show for each number; they do not change the numbers.

    Raises:
        LabelError: a number does not fit.
        ResourceError: the file cannot be written.
    """
    if array.ndim == 2:
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        if low < 0 or high > (65535 if palette is None else 255):
            kind = "a PNG" if palette is None else "a PNG with a palette"
            raise LabelError(f"{shown(path)}: {kind} cannot hold the numbers {low}..{high}")
        array = array.astype(np.uint8 if high < 256 else np.uint16)
    picture = Image.fromarray(np.ascontiguousarray(array))
    if palette is not None:
        colours = bytes(channel for colour in palette[:256] for channel in colour)
        picture.putpalette(colours.ljust(768, b"\0"))  # a shorter one would make Pillow store fewer bits a number
    write_atomically(path, lambda stream: picture.save(stream, "PNG"), durable=False)


def read_bytes(path: Path) -> bytes:
    """Return what a file holds; ImageError where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except (OSError, ValueError) as error:  # ValueError: the name holds a NUL or cannot be encoded
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{shown(path)!r}: cannot be read: {reason}") from error


def open_picture(path: Path, data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Return the picture with its header read and checked, and nothing decoded."""
    try:
        picture = Image.open(io.BytesIO(data), formats=formats)
        several = picture.format != "MPO" and getattr(picture, "is_animated", False)  # MPO: a photograph, then previews
    except Image.DecompressionBombError as error:
        raise ImageError(f"{shown(path)}: is too large: {error}") from error
    except Exception as error:  # what a parser of hostile bytes may raise is not a closed list
        raise unreadable(path, data, error) from error
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ImageError(f"{shown(path)}: is too large: {width} x {height} pixels, the limit is {MAX_PIXELS:,} in all")
    if several:
        raise ImageError(f"{shown(path)}: is a {picture.format} with several frames; one picture a file is read")
    return picture


def unreadable(path: Path, data: bytes, error: Exception | None = None) -> ImageError:
    """Return the error that says what a file looks like which is no picture, or a damaged one."""
    kind, formats = looks_like(data), ", ".join(IMAGE_FORMATS)
    if kind not in PICTURES.values():
        return ImageError(
            f"{shown(path)}: cannot be read as a picture: it is {kind}. Formats that are read: {formats}."
        )
    if kind == "a TIFF picture" and isinstance(error, UnidentifiedImageError):
        return ImageError(
            f"{shown(path)}: is damaged, or a TIFF of a kind that is not read as colours. Images of any number of "
            "channels are read with SEGMENTOR_CFG['dataset']['in_channels']."
        )
    reason = "" if error is None or isinstance(error, UnidentifiedImageError) else f" ({error})"
    return ImageError(f"{shown(path)}: is cut short or damaged; it begins as {kind}{reason}")


def _decode(path: Path, data: bytes, flags: int) -> Array:
    """Decode a JPEG or PNG file with OpenCV."""
    whole = _png_is_whole(data) if data.startswith(b"\x89PNG") else _jpeg_is_whole(data)
    if not whole:
        raise unreadable(path, data)
    try:
        array = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except (cv2.error, MemoryError) as error:
        raise unreadable(path, data) from error
    if array is None:
        raise unreadable(path, data)
    return array


def _png_is_whole(data: bytes) -> bool:
    """Whether all chunks lie inside the file. OpenCV 5 allocates what a chunk claims: 4 GB for a file of 200 bytes."""
    position, name = 8, b""
    while name != b"IEND" and position <= len(data) - 12:
        name = data[position + 4 : position + 8]
        position += 12 + int.from_bytes(data[position : position + 4], "big")
    return name == b"IEND" and position <= len(data)


def _jpeg_is_whole(data: bytes) -> bool:
    """Whether the last scan has its end marker. OpenCV 4 fills up a picture that is cut short with grey."""
    end = data.rfind(b"\xff\xd9")
    return end >= 0 and data.find(b"\xff\xda", end) < 0


def _loaded(path: Path, data: bytes, picture: Image.Image) -> Image.Image:
    try:
        picture.load()
    except Exception as error:  # as in open_picture
        raise unreadable(path, data, error) from error
    return picture


def _to_bgr(path: Path, picture: Image.Image) -> Array:
    if picture.mode.startswith("I;16"):
        grey = (np.asarray(picture) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    try:
        if picture.mode in ("I", "F"):
            raise ValueError("its numbers have no range that could be brought to 0..255")
        return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[..., ::-1])
    except ValueError as error:
        mode = f"{picture.format} picture of mode {picture.mode}"
        raise ImageError(f"{shown(path)}: a {mode} is not read as colours: {error}. Save it as 8-bit RGB.") from error


def _rescaled(picture: Image.Image, data: bytes) -> bool:
    """Whether Pillow changes the numbers: 16-bit colours lose their low byte, a PGM is stretched from its maximum."""
    if picture.format == "PNG":
        return data[_PNG_DEPTH] == 16
    return isinstance(picture, ImageFile.ImageFile) and picture.format == "PPM" and picture.tile[0][0] != "raw"


def _unscaled(grey: Array, depth: int) -> Array:
    """The numbers 0..3 or 0..15 of a 2-bit or 4-bit picture, which decoders stretch to 0..255."""
    return grey // (255 // (2**depth - 1)) if depth < 8 else grey


def _stored(picture: Image.Image) -> Array:
    """The numbers of a grey or palette picture, the colours of any other."""
    if picture.mode == "1":
        return np.asarray(picture).astype(np.uint8)
    if picture.mode in ("P", *_GREY_MODES):
        return np.asarray(picture)
    return np.asarray(picture.convert("L" if picture.mode == "LA" else "RGB"))


def _orientation(picture: Image.Image) -> int:
    if "exif" not in picture.info:  # Pillow turns a TIFF itself; asking a PNG without EXIF would decode it
        return 1
    exif = Image.Exif()
    try:
        exif.load(picture.info["exif"])
        return int(exif.get(_ORIENTATION, 1))
    except Exception:  # broken metadata do not make a picture unreadable, and OpenCV ignores them too
        return 1


def upright(array: Array, picture: Image.Image) -> Array:
    """Turn and mirror what was decoded as the orientation of its file says."""
    number = _orientation(picture)
    if not 2 <= number <= 8:
        return array
    if number >= 5:
        array = array.swapaxes(0, 1)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 5: (), 6: (1,), 7: (0, 1), 8: (0,)}[number]
    return np.ascontiguousarray(np.flip(array, flips))
