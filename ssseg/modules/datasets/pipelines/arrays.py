"""The arrays of a sample, and how OpenCV is applied to them whatever their channel count and dtype."""

from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np

from ...utils.errors import ConfigError, ShapeError
from ...utils.rasters import GREY_LEVEL

Sample = dict[str, Any]

SPATIAL_KEYS = ("image", "seg_target", "edge_target", "img2aug_pos_mapper")

INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
    "lanczos": cv2.INTER_LANCZOS4,
}

OPENCV_DTYPES = frozenset({"uint8", "uint16", "int16", "float32", "float64"})
OPENCV_CHANNELS = 4  # bicubic warps and area resizing take no more at once


def arrays_of(owner: object, sample_meta: Sample, keys: Iterable[str] = SPATIAL_KEYS) -> dict[str, np.ndarray]:
    """Return the arrays among `keys` that the sample holds: the image (H, W, C), others (H, W).

    Raises:
        ConfigError: one of them is a tensor already, so `owner` stands behind `ToTensor`.
        ShapeError: one of them has another number of dimensions, or no pixels, or they differ in size.
    """
    arrays = {key: sample_meta[key] for key in keys if key in sample_meta}
    name = type(owner).__name__
    for key, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ConfigError(
                f"{name}: {key} is a {type(array).__name__}, not a NumPy array; this step belongs before ToTensor"
            )
        if array.ndim != (3 if key == "image" else 2) or not array.size:
            axes = "(height, width, channels)" if key == "image" else "(height, width)"
            raise ShapeError(f"{name}: {key} has shape {array.shape}, not {axes}")
    if len({array.shape[:2] for array in arrays.values()}) > 1:
        sizes = ", ".join(f"{key} {array.shape[0]} x {array.shape[1]}" for key, array in arrays.items())
        raise ShapeError(f"{name}: the arrays of a sample differ in size: {sizes}")
    return arrays


def size_of(arrays: dict[str, np.ndarray]) -> tuple[int, int]:
    """Return the (height, width) that the arrays of a sample share."""
    height, width = next(iter(arrays.values())).shape[:2]
    return height, width


def image_of(
    owner: object, sample_meta: Sample, *, dtypes: Iterable[str] = (), channels: int | None = None
) -> np.ndarray | None:
    """Return the image (H, W, C) of a sample, or None where it has none.

    Args:
        dtypes: require one of these.
        channels: require this many.

    Raises:
        ConfigError: the image is a tensor, or of another dtype.
        ShapeError: the image is not (H, W, C), or has another number of channels.
    """
    image = arrays_of(owner, sample_meta, ["image"]).get("image")
    if image is None:
        return None
    name = type(owner).__name__
    if dtypes and image.dtype.name not in dtypes:
        raise ConfigError(
            f"{name}: image is {image.dtype} but this step reads {' or '.join(dtypes)}; "
            "it belongs before Normalize, Rerange and RGB2Gray"
        )
    if channels is not None and image.shape[2] != channels:
        raise ShapeError(f"{name}: image has {image.shape[2]} channels but this step reads {channels}")
    return image


def grey_step(image: np.ndarray) -> int:
    """Return how many steps of an image's values make one grey level of 8 bits: 257 for uint16, else 1."""
    return GREY_LEVEL if image.dtype == np.uint16 else 1


def by_channels(operation: Callable[[np.ndarray], np.ndarray], array: np.ndarray) -> np.ndarray:
    """Apply an OpenCV operation to (H, W) or (H, W, C) of any C and any dtype; keep dtype and number of dimensions.

    Integers that OpenCV does not take pass through float64, which holds all of them up to 2**53 exactly.
    """
    if array.dtype.name not in OPENCV_DTYPES:
        return by_channels(operation, array.astype(np.float64)).astype(array.dtype)
    if array.ndim == 2:
        return operation(array)
    step = OPENCV_CHANNELS
    groups = [operation(array[:, :, first : first + step]) for first in range(0, array.shape[2], step)]
    groups = [group.reshape(*group.shape[:2], -1) for group in groups]  # OpenCV drops the axis of a single channel
    return groups[0] if len(groups) == 1 else np.concatenate(groups, axis=2)


def planes_of(image: np.ndarray) -> list[np.ndarray]:
    """Return the channels of (H, W, C) as C arrays (H, W)."""
    if image.dtype.name in OPENCV_DTYPES and image.shape[2] <= OPENCV_CHANNELS:
        return list(cv2.split(image))
    return [image[:, :, channel] for channel in range(image.shape[2])]


def look_up(levels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Replace each value of a uint8 array by its entry in `table` (256,) uint8."""
    return cv2.LUT(levels, table).reshape(levels.shape)


def check_fill(owner: object, key: str, info: Any, value: float) -> None:
    """Require that an integer dtype holds a fill value; `info` is its `iinfo`."""
    if not info.min <= value <= info.max:
        hint = "" if key == "image" else "; label maps are int16"
        raise ConfigError(
            f"{type(owner).__name__}: {key} is {info.dtype}, which cannot hold the fill value {value}{hint}"
        )
