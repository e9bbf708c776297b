from collections.abc import Sequence

import cv2
import numpy as np

from .arrays import Sample, image_of, look_up
from .checks import check_interval, check_number

LEVELS = np.arange(256, dtype=np.float32)


class PhotoMetricDistortion:
    """Changes brightness, contrast, saturation and hue of a uint8 colour image, each with probability 1/2.

    Paper: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, arXiv:1512.02325, section 3.6, after Howard,
    "Some Improvements on Deep Convolutional Neural Network Based Image Classification", 2013, arXiv:1312.5402.

    Args:
        brightness_delta: grey levels; what is added is drawn from [-brightness_delta, brightness_delta].
        contrast_range: the factor of the grey levels is drawn from it. Contrast changes before saturation and hue, or
            after them, with probability 1/2 each.
        saturation_range: the factor of the saturation is drawn from it.
        hue_delta: steps of 2 degrees; what is added to the hue is drawn from -hue_delta .. hue_delta - 1.

    Raises:
        ConfigError: an argument is out of range, or the image is not uint8.
        ShapeError: the image has not three channels.
    """

    def __init__(
        self,
        brightness_delta: float = 32,
        contrast_range: Sequence[float] = (0.5, 1.5),
        saturation_range: Sequence[float] = (0.5, 1.5),
        hue_delta: int = 18,
    ):
        check_number(self, "brightness_delta", brightness_delta, 0)
        check_number(self, "hue_delta", hue_delta, 0, whole=True)
        self.brightness_delta, self.hue_delta = brightness_delta, hue_delta
        self.contrast_range = check_interval(self, "contrast_range", contrast_range, 0)
        self.saturation_range = check_interval(self, "saturation_range", saturation_range, 0)

    def __call__(self, sample_meta: Sample) -> Sample:
        image = image_of(self, sample_meta, uint8=True, channels=3)
        if image is None:
            return sample_meta
        brightness = _drawn(-self.brightness_delta, self.brightness_delta)
        contrast_first = np.random.randint(2) == 1
        contrast = _drawn(*self.contrast_range) if contrast_first else None
        saturation = _drawn(*self.saturation_range)
        hue = self.draw_hue()
        if not contrast_first:
            contrast = _drawn(*self.contrast_range)
        sample_meta["image"] = _distorted(image, brightness, contrast, contrast_first, saturation, hue)
        return sample_meta

    def draw_hue(self) -> int | None:
        """Draw the shift of the hue, None for no change."""
        if not np.random.randint(2) or not self.hue_delta:
            return None
        return np.random.randint(-self.hue_delta, self.hue_delta)


def _drawn(low: float, high: float) -> float | None:
    return np.random.uniform(low, high) if np.random.randint(2) else None


def _distorted(
    image: np.ndarray,
    brightness: float | None,
    contrast: float | None,
    contrast_first: bool,
    saturation: float | None,
    hue: int | None,
) -> np.ndarray:
    """Return the image (H, W, 3) uint8 with the changes that are not None."""
    before, after = LEVELS, LEVELS  # what happens to grey levels before and after saturation and hue, one table each
    if brightness is not None:
        before = _truncated(before + brightness)
    if contrast is not None:
        if contrast_first or (saturation is None and hue is None):
            before = _truncated(before * contrast)
        else:
            after = _truncated(after * contrast)
    if before is not LEVELS:
        image = look_up(image, before.astype(np.uint8))
    if saturation is not None:
        image = _changed_in_hsv(image, 1, _truncated(LEVELS * saturation))
    if hue is not None:
        image = _changed_in_hsv(image, 0, (LEVELS + hue) % 180)
    return image if after is LEVELS else look_up(image, after.astype(np.uint8))


def _changed_in_hsv(image: np.ndarray, channel: int, levels: np.ndarray) -> np.ndarray:
    """Return the image with hue (channel 0, 180 steps) or saturation (1) replaced by its entry in `levels` (256,)."""
    # Reading BGR as RGB mirrors the circle of hues: a shift goes the other way round, and shifts are drawn both ways.
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    cv2.insertChannel(look_up(cv2.extractChannel(hsv, channel), levels.astype(np.uint8)), hsv, channel)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def _truncated(levels: np.ndarray) -> np.ndarray:
    truncated: np.ndarray = np.trunc(np.clip(levels, 0, 255))
    return truncated
