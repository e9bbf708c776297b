from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageFilter

from .arrays import Sample, by_channels, image_of, planes_of
from .checks import check_interval, check_number, check_size, is_number, refuse


class RandomGaussianBlur:
    """Blurs an image with OpenCV's Gaussian filter, with probability `prob`.

    Args:
        prob: in [0, 1].
        sigma: pixels, or a range from which it is drawn for each sample; 0 lets OpenCV derive it from `kernel_size`.
        kernel_size: odd; (width, height) in pixels, or one number for both.

    Raises:
        ConfigError: an argument is out of range.
    """

    def __init__(
        self, prob: float = 0.5, sigma: float | Sequence[float] = (0.0, 1.0), kernel_size: int | Sequence[int] = 3
    ):
        check_number(self, "prob", prob, 0, 1)
        self.prob = prob
        self.sigma = check_interval(self, "sigma", (sigma, sigma) if is_number(sigma) else sigma, 0)
        self.kernel_size = check_size(self, "kernel_size", kernel_size)
        if any(edge % 2 == 0 for edge in self.kernel_size):
            refuse(self, "kernel_size", kernel_size, "odd")

    def __call__(self, sample_meta: Sample) -> Sample:
        image = image_of(self, sample_meta)
        if image is None or np.random.rand() > self.prob:
            return sample_meta
        sigma = np.random.uniform(*self.sigma)
        sample_meta["image"] = by_channels(lambda part: cv2.GaussianBlur(part, self.kernel_size, sigma), image)
        return sample_meta


class PILRandomGaussianBlur:
    """Blurs a uint8 image with Pillow's approximation of a Gaussian filter, with probability `prob`.

    Args:
        prob: in [0, 1].
        radius: standard deviation in pixels, or a range from which it is drawn for each sample.

    Raises:
        ConfigError: an argument is out of range, or the image is not uint8.
    """

    def __init__(self, prob: float = 0.5, radius: float | Sequence[float] = (0.0, 1.0)):
        check_number(self, "prob", prob, 0, 1)
        self.prob = prob
        self.radius = check_interval(self, "radius", (radius, radius) if is_number(radius) else radius, 0)

    def __call__(self, sample_meta: Sample) -> Sample:
        image = image_of(self, sample_meta, dtypes=("uint8",))
        if image is None or np.random.rand() > self.prob:
            return sample_meta
        blur = ImageFilter.GaussianBlur(np.random.uniform(*self.radius))
        planes = [Image.fromarray(np.ascontiguousarray(plane)).filter(blur) for plane in planes_of(image)]
        sample_meta["image"] = np.stack([np.asarray(plane) for plane in planes], axis=2)
        return sample_meta
