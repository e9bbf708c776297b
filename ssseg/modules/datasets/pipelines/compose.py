from collections.abc import Callable, Iterable

import numpy as np

from .arrays import Sample


class Compose:
    """Applies transforms one after the other.

    Args:
        transforms: functions from sample to sample.
        record_img2aug_pos_mapper: add `img2aug_pos_mapper` (height, width) int64 to a sample that has none: the index
            of each pixel in the original image, row by row, which the transforms then carry along.
    """

    def __init__(self, transforms: Iterable[Callable[[Sample], Sample]], record_img2aug_pos_mapper: bool = False):
        self.transforms = list(transforms)
        self.record_img2aug_pos_mapper = record_img2aug_pos_mapper

    def __call__(self, sample_meta: Sample) -> Sample:
        if self.record_img2aug_pos_mapper and "img2aug_pos_mapper" not in sample_meta:
            height, width = sample_meta["height"], sample_meta["width"]
            sample_meta["img2aug_pos_mapper"] = np.arange(height * width).reshape(height, width)
        for transform in self.transforms:
            sample_meta = transform(sample_meta)
        return sample_meta
