"""What of a training sample is left to the device: changing colours, normalizing, and what surrounds the image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import torch

from ..arrays import Sample
from ..normalize import Normalize
from ..padding import Padding
from ..photometric import Distortion, PhotoMetricDistortion
from ..totensor import ToTensor


@dataclass(frozen=True)
class Deferred:
    """What is to be done with the image of a sample, a uint8 tensor (H, W, 3), BGR.

    Attributes:
        mean, std: one number for each channel, after `to_rgb`.
        to_rgb: whether the channels are reversed.
        covered: top, left, height, width of the image in the tensor.
        fill: what surrounds it, as a normalized number.
        distortion: of the colours, before all that.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    to_rgb: bool
    covered: tuple[int, int, int, int]
    fill: float
    distortion: Distortion | None = None


class DeferringTail:
    """The end of a pipeline, Normalize, ToTensor and perhaps Padding: labels get what they say, images a `Deferred`.

    `image` becomes a uint8 tensor (H, W, 3), and the sample gets an entry `deferred`.

    Args:
        padding: of tensors; None where there is none.
        distortion: to be left to the device as well.
    """

    def __init__(self, normalize: Normalize, padding: Padding | None, distortion: PhotoMetricDistortion | None = None):
        self.normalize, self.padding, self.distortion = normalize, padding, distortion
        steps: list[Any] = [distortion, normalize, ToTensor(), padding]
        self.plain = [step for step in steps if step is not None]
        self.numbers: Mapping[str, Any] = {
            "mean": tuple(normalize.mean.tolist()),
            "std": tuple(normalize.std.tolist()),
            "to_rgb": normalize.to_rgb,
            "fill": 0.0 if padding is None else float(padding.fill_values["image"]),
        }

    def __call__(self, sample_meta: Sample) -> Sample:
        image = sample_meta.get("image")
        if not is_picture(image) or len(self.normalize.mean) != 3:
            for transform in self.plain:
                sample_meta = transform(sample_meta)
            return sample_meta
        drawn = None if self.distortion is None else self.distortion.draw()
        rest = ToTensor()({key: value for key, value in sample_meta.items() if key != "image"})
        if self.padding is not None:
            rest = self.padding(rest)
        pixels, covered = self.framed(image)
        deferred = Deferred(covered=covered, distortion=drawn, **self.numbers)
        return {**rest, "image": torch.from_numpy(pixels), "deferred": deferred}

    def framed(self, image: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int, int]]:
        """Return the image (H, W, 3) in the frame that `padding` makes, and which part of that it covers."""
        height, width = image.shape[:2]
        size = (height, width) if self.padding is None else self.padding.size_for(height, width)
        if size == (height, width):
            return np.require(image, None, ["C", "W"]), (0, 0, height, width)
        top, left = (size[0] - height) // 2, (size[1] - width) // 2
        image = image[max(-top, 0) :, max(-left, 0) :][: size[0], : size[1]]  # of what is larger, the centre
        (height, width), top, left = image.shape[:2], max(top, 0), max(left, 0)
        framed = np.zeros((*size, 3), np.uint8)
        framed[top : top + height, left : left + width] = image
        return framed, (top, left, height, width)


def is_picture(image: Any) -> TypeGuard[np.ndarray]:
    """Whether `image` is a NumPy array (H, W, 3) uint8 with pixels in it."""
    is_array = isinstance(image, np.ndarray) and image.dtype == np.uint8
    return is_array and image.ndim == 3 and image.shape[2] == 3 and image.size > 0
