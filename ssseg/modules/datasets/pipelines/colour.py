"""Fixed changes of the grey levels of an image."""

from collections.abc import Sequence

import cv2
import numpy as np

from ...utils.errors import ImageError
from .arrays import Sample, image_of, look_up, planes_of
from .checks import check_number, check_size, is_number, refuse


class AdjustGamma:
    """Raises the grey levels of a uint8 image, as shares of 255, to the power of 1 / `gamma`.

    Args:
        gamma: above 0; below 1 darkens, above 1 brightens.

    Raises:
        ConfigError: `gamma` is not above 0, or the image is not uint8.
    """

    def __init__(self, gamma: float = 1.0):
        check_number(self, "gamma", gamma, above=0)
        self.table = (255 * (np.arange(256) / 255) ** (1 / gamma)).astype(np.uint8)

    def __call__(self, sample_meta: Sample) -> Sample:
        image = image_of(self, sample_meta, dtypes=("uint8",))
        if image is not None:
            sample_meta["image"] = look_up(image, self.table)
        return sample_meta


class CLAHE:
    """Equalizes the histogram of each channel of a uint8 image, tile by tile, with limited contrast.

    Paper: Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 1994.

    Args:
        clip_limit: where the histogram of a tile is cut, as a multiple of its mean; 0 does not cut.
        tile_grid_size: tiles along the width and along the height.

    Raises:
        ConfigError: an argument is out of range, or the image is not uint8.
    """

    def __init__(self, clip_limit: float = 40.0, tile_grid_size: Sequence[int] = (8, 8)):
        check_number(self, "clip_limit", clip_limit, 0)
        self.clip_limit = clip_limit
        self.tile_grid_size = check_size(self, "tile_grid_size", tile_grid_size)

    def __call__(self, sample_meta: Sample) -> Sample:
        image = image_of(self, sample_meta, dtypes=("uint8",))
        if image is not None:
            clahe = cv2.createCLAHE(self.clip_limit, self.tile_grid_size)  # not an attribute: it cannot be pickled
            sample_meta["image"] = np.stack([clahe.apply(plane) for plane in planes_of(image)], axis=2)
        return sample_meta


class Rerange:
    """Maps the range of an image's values linearly to [`min_value`, `max_value`], as float64.

    Args:
        min_value, max_value: the new range; `max_value` is larger.

    Raises:
        ConfigError: the range is empty.
        ImageError: all values of the image are the same.
    """

    def __init__(self, min_value: float = 0, max_value: float = 255):
        check_number(self, "min_value", min_value)
        check_number(self, "max_value", max_value, above=min_value)
        self.min_value, self.max_value = min_value, max_value

    def __call__(self, sample_meta: Sample) -> Sample:
        image = image_of(self, sample_meta)
        if image is None:
            return sample_meta
        low, high = float(image.min()), float(image.max())
        if low == high:
            raise ImageError(
                f"Rerange: all values of the image are {low:g}, so they have no range that could be mapped"
            )
        scale = (self.max_value - self.min_value) / (high - low)
        sample_meta["image"] = (image - low) * scale + self.min_value
        return sample_meta


class RGB2Gray:
    """Replaces an image by the weighted sum of its channels, as float64, repeated.

    Args:
        out_channels: how often the sum is repeated; None for as many channels as there were.
        weights: one for each channel, in the order of the channels of the image, which is BGR in data sets.

    Raises:
        ConfigError: an argument is out of range.
        ShapeError: the image has not as many channels as there are weights.
    """

    def __init__(self, out_channels: int | None = None, weights: Sequence[float] = (0.299, 0.587, 0.114)):
        if out_channels is not None:
            check_number(self, "out_channels", out_channels, 1, whole=True)
        if not (isinstance(weights, Sequence) and weights and all(map(is_number, weights))):
            refuse(self, "weights", weights, "a sequence of numbers")
        self.out_channels = out_channels or len(weights)
        self.weights = np.array(weights, dtype=np.float64)

    def __call__(self, sample_meta: Sample) -> Sample:
        image = image_of(self, sample_meta, channels=len(self.weights))
        if image is not None:
            sample_meta["image"] = np.repeat((image @ self.weights)[:, :, None], self.out_channels, axis=2)
        return sample_meta
