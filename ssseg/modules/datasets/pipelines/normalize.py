from collections.abc import Sequence

import numpy as np

from .arrays import Sample, grey_step, image_of, planes_of
from .checks import check_flag, check_number, refuse


class Normalize:
    """Subtracts a mean from each channel of an image and divides by a standard deviation; float32.

    Both are in grey levels of 8 bits; images of 16 bits are brought to these first, so that they take the same numbers.
    The result (H, W, C) lies in memory channel by channel, as `ToTensor` needs it.

    Args:
        mean, std: one number for each channel, in the order that `to_rgb` makes.
        to_rgb: reverse the channels of a BGR image first.

    Raises:
        ConfigError: `mean` and `std` are not as long as each other, or a `std` is not above 0.
        ShapeError: the image has not as many channels, or with `to_rgb` not three.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], to_rgb: bool = True):
        for name, values in (("mean", mean), ("std", std)):
            if not (isinstance(values, Sequence | np.ndarray) and len(values)):
                refuse(self, name, values, "a sequence of numbers, one for each channel")
        check_flag(self, "to_rgb", to_rgb)
        for value in mean:
            check_number(self, "mean", value)
        for value in std:
            check_number(self, "std", value, above=0)
        if len(mean) != len(std):
            refuse(self, "std", std, f"as long as mean={mean!r}")
        if to_rgb and len(mean) != 3:
            refuse(self, "to_rgb", to_rgb, f"False for images of {len(mean)} channels")
        self.mean, self.std = np.asarray(mean, dtype=np.float32), np.asarray(std, dtype=np.float32)
        self.to_rgb = to_rgb

    def __call__(self, sample_meta: Sample) -> Sample:
        image = image_of(self, sample_meta, channels=len(self.mean))
        if image is None:
            return sample_meta
        step = grey_step(image)
        planes = planes_of(image)[::-1] if self.to_rgb else planes_of(image)
        normalized = np.empty((len(planes), *image.shape[:2]), dtype=np.float32)  # (C, H, W)
        for channel, plane in enumerate(planes):
            mean, std = step * self.mean[channel], step * self.std[channel]
            np.subtract(plane, mean, out=normalized[channel], dtype=np.float32, casting="same_kind")
            normalized[channel] /= std
        sample_meta["image"] = normalized.transpose(1, 2, 0)  # (H, W, C)
        return sample_meta
