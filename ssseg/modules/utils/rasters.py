"""Images of any number of channels, with the depth that the file has: what `in_channels` of a data set reads.

`images.read_image` makes 8-bit BGR of everything; here a file keeps what it holds:

* 8 and 16 bits a value stay uint8 and uint16, other numbers become float32. 1-bit pictures are 0 or 255.
* Three channels are B, G, R and four B, G, R, alpha, as everywhere; TIFF files of other counts keep their own order.
* Grey is repeated for three channels, colour is weighed to grey (ITU-R BT.601) for one, alpha is dropped for three and
  opaque where the file has none. No other count is turned into another.
"""

import io
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from .errors import ImageError, ResourceError
from .filekinds import shown
from .images import IMAGE_FORMATS, MAX_PIXELS, Array, Path, open_picture, read_bytes, read_image, unreadable, upright

MAX_CHANNELS = 512  # of OpenCV's arrays
GREY_LEVEL = 257  # steps of a 16-bit value to one of an 8-bit value: 65535 / 255

_OPENCV = ("JPEG", "PNG", "BMP", "WEBP")
_CHANNELS = {"1": 1, "L": 1, "I": 1, "F": 1, "P": 3, "RGB": 3, "CMYK": 3, "LA": 4, "PA": 4, "RGBA": 4}  # read so here
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BITS, _SAMPLES = 258, 277  # numbers of TIFF tags
_PNG_DEPTH = 24  # where a PNG file states its bits a value


def read_pixels(path: Path, in_channels: int | None) -> Array:
    """Read a picture: (H, W, 3) uint8, BGR, where `in_channels` is None, else as `read_raster`."""
    return read_image(path) if in_channels is None else read_raster(path, in_channels)


def read_raster(path: Path, channels: int) -> Array:
    """Read a picture as (H, W, channels): uint8 in 0..255, uint16 in 0..65535, or float32 as stored.

    Raises:
        ImageError: as `read_image`; or the file has another number of channels that cannot be turned into this one, or
            values that are not finite.
        ResourceError: the file takes the package tifffile, which is not installed.
    """
    data = read_bytes(path)
    image = _read_tiff(path, data) if _takes_tifffile(path, data) else _read_picture(path, data)
    return np.ascontiguousarray(_fitted(path, image, channels))


class RasterHeader(NamedTuple):
    """What `read_raster` finds in a picture: pixels, channels, bits a value."""

    width: int
    height: int
    channels: int
    bits: int


def read_header(path: Path) -> RasterHeader:
    """Read what a picture says of itself; its pixels are not decoded.

    Raises:
        ImageError, ResourceError: as `read_raster`.
    """
    data = read_bytes(path)
    if _takes_tifffile(path, data):
        with _opened_tiff(path, data) as tiff:
            shape, dtype, _ = _planes(path, data, tiff)
        return RasterHeader(shape[1], shape[0], shape[2], 8 * dtype.itemsize)
    picture = open_picture(path, data, IMAGE_FORMATS)
    deep = data[_PNG_DEPTH] == 16 if picture.format == "PNG" else picture.mode.startswith("I;16")
    return RasterHeader(*picture.size, _CHANNELS[picture.mode.partition(";")[0]], 16 if deep else 8)


def as_picture(image: Array) -> Array:
    """Return (H, W, 3) uint8, RGB, for people, of an image (H, W, C) of a data set.

    Three and four channels are taken for B, G, R; one is grey; of other counts the first three are shown. Values of 16
    bits are scaled to 8, floating ones from their minimum and maximum.
    """
    order = {1: (0, 0, 0), 2: (0, 1, 1), 3: (2, 1, 0), 4: (2, 1, 0)}.get(image.shape[2], (0, 1, 2))
    picture = image[..., order]
    if picture.dtype == np.uint16:
        picture = (picture // GREY_LEVEL).astype(np.uint8)
    elif picture.dtype != np.uint8:
        low, high = float(picture.min()), float(picture.max())
        picture = ((picture - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
    return np.ascontiguousarray(picture)


def _takes_tifffile(path: Path, data: bytes) -> bool:
    """Whether a file is a TIFF that Pillow cannot read, or not as it is."""
    if data[:4] not in _TIFF:
        return False
    try:
        picture = open_picture(path, data, ("TIFF",))
    except ImageError as error:
        if isinstance(error.__cause__, Image.UnidentifiedImageError):  # a count of channels that Pillow has no mode for
            return True
        raise
    tags: Any = getattr(picture, "tag_v2", {})
    kept = picture.mode in ("1", "L", "P", "RGB", "RGBA") and max(tags.get(_BITS, (1,))) <= 8
    return not (kept or picture.mode.startswith("I;16")) or tags.get(_SAMPLES, 1) != len(picture.getbands())


def _read_picture(path: Path, data: bytes) -> Array:
    picture = open_picture(path, data, IMAGE_FORMATS)
    if picture.format not in _OPENCV or picture.mode == "CMYK":
        if not picture.mode.startswith("I;16") and picture.mode not in ("L", "LA", "RGBA", "PA"):
            return read_image(path)
        picture.load()
        if picture.mode in ("LA", "PA"):
            picture = picture.convert("RGBA")
        array = np.asarray(picture)
        return array[..., None] if array.ndim == 2 else array[..., [2, 1, 0, 3]]
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if decoded is None:
        raise unreadable(path, data)
    return upright(decoded[..., None] if decoded.ndim == 2 else decoded, picture)


def _read_tiff(path: Path, data: bytes) -> Array:
    with _opened_tiff(path, data) as tiff:
        shape, dtype, axis = _planes(path, data, tiff)
        if shape[0] * shape[1] > MAX_PIXELS or shape[2] > MAX_CHANNELS:
            raise ImageError(f"{shown(path)}: is too large: {shape[1]} x {shape[0]} pixels of {shape[2]} channels")
        try:
            array = np.moveaxis(tiff.asarray().reshape(_stored_shape(shape, axis)), axis, 2)
            is_rgb = tiff.pages[0].photometric.name == "RGB" and shape[2] in (3, 4)
        except Exception as error:  # what a parser of hostile bytes may raise is not a closed list
            raise ImageError(
                f"{shown(path)}: is cut short or damaged; it begins as a TIFF picture ({error})"
            ) from error
    if is_rgb:
        array = array[..., [2, 1, 0, 3][: shape[2]]]
    if dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if dtype not in (np.uint8, np.uint16):
        array = array.astype(np.float32)
        if not np.isfinite(array).all():
            raise ImageError(f"{shown(path)}: holds values that are not finite; replace them, or mark them as ignored")
    return array


def _opened_tiff(path: Path, data: bytes) -> Any:
    try:
        import tifffile
    except ImportError as error:
        raise ResourceError(
            f"{shown(path)}: a TIFF of this kind takes the package tifffile: pip install 'ssseg[tiff]'"
        ) from error
    try:
        return tifffile.TiffFile(io.BytesIO(data))
    except Exception as error:  # as in _read_tiff
        raise unreadable(path, data, error) from error


def _planes(path: Path, data: bytes, tiff: Any) -> tuple[tuple[int, int, int], np.dtype[Any], int]:
    """Return (H, W, C), the dtype, and which axis of the stored array is that of the channels."""
    try:
        series = tiff.series[0]
        shape, axes, dtype = tuple(series.shape), series.axes, np.dtype(series.dtype)
        count = len(tiff.series)
    except Exception as error:  # as in _read_tiff
        raise unreadable(path, data, error) from error
    others = [axis for axis in range(len(axes)) if axes[axis] not in "YX"]
    if count > 1 or len(others) > 1 or len(axes) - len(others) != 2:
        raise ImageError(
            f"{shown(path)}: is a TIFF of {count} pictures with axes {axes} of {shape}; one picture a file is read, "
            "with one axis of channels"
        )
    height, width = (shape[axes.index(name)] for name in "YX")
    return (height, width, shape[others[0]] if others else 1), dtype, others[0] if others else 2


def _stored_shape(shape: tuple[int, int, int], axis: int) -> tuple[int, ...]:
    height, width, channels = shape
    return tuple(np.insert((height, width), axis, channels).tolist())


def _fitted(path: Path, image: Array, channels: int) -> Array:
    have = image.shape[2]
    if have == channels:
        return image
    if (have, channels) == (4, 3):
        return image[..., :3]
    if have == 1 and channels in (3, 4):
        image = np.repeat(image, 3, axis=2)
    if channels == 1 and have in (3, 4):
        return cv2.cvtColor(np.ascontiguousarray(image[..., :3]), cv2.COLOR_BGR2GRAY)[..., None]
    if image.shape[2] == 3 and channels == 4:
        opaque = np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1
        return np.concatenate([image, np.full_like(image[..., :1], opaque)], axis=2)
    if image.shape[2] == channels:
        return image
    raise ImageError(f"{shown(path)}: has {have} channels, but SEGMENTOR_CFG['dataset']['in_channels'] is {channels}")
