from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .arrays import Sample, grey_step, image_of, look_up
from .checks import check_interval, check_number

LEVELS = np.arange(256, dtype=np.float32)


@dataclass(frozen=True)
class Distortion:
    """What is done to the colours of one image; None where something stays.

    Attributes:
        brightness: is added to the grey levels.
        contrast: the factor of the grey levels; before saturation and hue with `contrast_first`, else after them.
        saturation: its factor.
        hue: is added to it, in steps of 2 degrees.
    """

    brightness: float | None
    contrast: float | None
    contrast_first: bool
    saturation: float | None
    hue: int | None

    def grey_levels(self) -> tuple[np.ndarray, np.ndarray]:
        """What becomes of grey levels before and after saturation and hue: tables (256,), `LEVELS` where they stay."""
        before, after = LEVELS, LEVELS
        if self.brightness is not None:
            before = _truncated(before + self.brightness)
        if self.contrast is not None:
            if self.contrast_first or (self.saturation is None and self.hue is None):
                before = _truncated(before * self.contrast)
            else:
                after = _truncated(after * self.contrast)
        return before, after

    def hsv_tables(self) -> dict[int, np.ndarray]:
        """What becomes of saturation (1) and hue (0), in this order: tables (256,)."""
        tables = {}
        if self.saturation is not None:
            tables[1] = _truncated(LEVELS * self.saturation)
        if self.hue is not None:
            tables[0] = (LEVELS + self.hue) % 180
        return tables


class PhotoMetricDistortion:
    """Changes brightness, contrast, saturation and hue of an image, each with probability 1/2.

    Saturation and hue change in 8-bit images of three channels only; others have none, though all is drawn as for them.

    Paper: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, arXiv:1512.02325, section 3.6, after Howard,
    "Some Improvements on Deep Convolutional Neural Network Based Image Classification", 2013, arXiv:1312.5402.

    Args:
        brightness_delta: grey levels; what is added is drawn from [-brightness_delta, brightness_delta].
        contrast_range: the factor of the grey levels is drawn from it. Contrast changes before saturation and hue, or
            after them, with probability 1/2 each.
        saturation_range: the factor of the saturation is drawn from it.
        hue_delta: steps of 2 degrees; what is added to the hue is drawn from -hue_delta .. hue_delta - 1.

    Raises:
        ConfigError: an argument is out of range, or the image is not uint8 or uint16.
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
        image = image_of(self, sample_meta, dtypes=("uint8", "uint16"))
        if image is None:
            return sample_meta
        drawn = self.draw()
        if image.shape[2] != 3 or image.dtype != np.uint8:
            sample_meta["image"] = _without_colour(image, drawn.brightness, drawn.contrast)
        else:
            sample_meta["image"] = distorted(image, drawn)
        return sample_meta

    def draw(self) -> Distortion:
        """Draw the changes of the next image."""
        brightness = _drawn(-self.brightness_delta, self.brightness_delta)
        contrast_first = np.random.randint(2) == 1
        contrast = _drawn(*self.contrast_range) if contrast_first else None
        saturation = _drawn(*self.saturation_range)
        hue = self.draw_hue()
        if not contrast_first:
            contrast = _drawn(*self.contrast_range)
        return Distortion(brightness, contrast, contrast_first, saturation, hue)

    def draw_hue(self) -> int | None:
        """Draw the shift of the hue, None for no change."""
        if not np.random.randint(2) or not self.hue_delta:
            return None
        return np.random.randint(-self.hue_delta, self.hue_delta)


def _drawn(low: float, high: float) -> float | None:
    return np.random.uniform(low, high) if np.random.randint(2) else None


def distorted(image: np.ndarray, drawn: Distortion, *, one_round_trip: bool = False) -> np.ndarray:
    """Return the image (H, W, 3) uint8 with the changes drawn.

    Args:
        one_round_trip: go to hues and back once where both saturation and hue change, not once for each: faster, and
            the colours are rounded once instead of twice, which moves them by 0.3 grey levels on average, 5 at most.
    """
    before, after = drawn.grey_levels()
    image = look_up(image, before.astype(np.uint8)) if before is not LEVELS else image
    tables = drawn.hsv_tables()
    if one_round_trip and len(tables) == 2:
        image = _changed_in_hsv(image, tables)
    else:
        for channel, table in tables.items():
            image = _changed_in_hsv(image, {channel: table})
    return image if after is LEVELS else look_up(image, after.astype(np.uint8))


def _without_colour(image: np.ndarray, brightness: float | None, contrast: float | None) -> np.ndarray:
    """Return the image (H, W, C) uint8 or uint16 with brightness and contrast changed where they are not None."""
    if brightness is None and contrast is None:
        return image
    top = np.iinfo(image.dtype).max
    levels = np.arange(top + 1, dtype=np.float64)
    if brightness is not None:
        levels = np.trunc((levels + brightness * grey_step(image)).clip(0, top))
    if contrast is not None:
        levels = np.trunc((levels * contrast).clip(0, top))
    return np.take(levels.astype(image.dtype), image)


def _changed_in_hsv(image: np.ndarray, tables: dict[int, np.ndarray]) -> np.ndarray:
    """Return the image with hue (channel 0, 180 steps) or saturation (1) replaced by its entry in a table (256,)."""
    # Reading BGR as RGB mirrors the circle of hues: a shift goes the other way round, and shifts are drawn both ways.
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    for channel, levels in tables.items():
        cv2.insertChannel(look_up(cv2.extractChannel(hsv, channel), levels.astype(np.uint8)), hsv, channel)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def _truncated(levels: np.ndarray) -> np.ndarray:
    truncated: np.ndarray = np.trunc(np.clip(levels, 0, 255))
    return truncated
