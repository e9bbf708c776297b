"""Resizing to a size, to a length of the short edge, or to one drawn."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from ...utils.errors import ConfigError, ImageError, call_with
from .arrays import INTERPOLATIONS, Sample, arrays_of, by_channels, size_of
from .checks import check_choice, check_flag, check_interval, check_number, check_size, is_number, refuse

MAX_PIXELS = 2**30  # where OpenCV stops reading image files, too
Size = tuple[int, int]  # height, width
CENTRED = "nearest_exact"


class Resize:
    """Resizes `image`, `seg_target`, `edge_target` and `img2aug_pos_mapper`, where present.

    Args:
        output_size: two edges in pixels, in any order: the longer one bounds the longer edge of the image. A single
            number stands for both.
        keep_ratio: fit the image into `output_size`, instead of stretching it.
        min_size: with `keep_ratio`, the least length of the short edge in pixels, whatever `output_size` says.
        scale_range: `output_size` is multiplied by a factor drawn from it for each sample; None for no factor.
        image_interpolation, seg_target_interpolation, img2aug_pos_mapper_interpolation: "nearest", "nearest_exact",
            "bilinear", "bicubic", "area" or "lanczos". Edge targets are resized like label maps. "nearest" takes what
            lies at the upper left corner of the new pixel, half a new pixel beside what the smooth ones show there;
            "nearest_exact" takes what lies at its centre, as they do.

    Raises:
        ConfigError: an argument is out of range.
        ImageError: the result would have more than 2**30 pixels.
    """

    def __init__(
        self,
        output_size: int | Sequence[int],
        keep_ratio: bool = True,
        min_size: int | None = None,
        scale_range: Sequence[float] | None = (0.5, 2.0),
        image_interpolation: str = "bilinear",
        seg_target_interpolation: str = "nearest",
        img2aug_pos_mapper_interpolation: str = "nearest",
    ):
        self.output_size = check_size(self, "output_size", output_size)
        check_flag(self, "keep_ratio", keep_ratio)
        self.keep_ratio = keep_ratio
        if min_size is not None:
            check_number(self, "min_size", min_size, low=1)
        self.min_size = min_size
        self.scale_range = None if scale_range is None else check_interval(self, "scale_range", scale_range, above=0)
        self.interpolations = {
            "image": image_interpolation,
            "seg_target": seg_target_interpolation,
            "edge_target": seg_target_interpolation,
            "img2aug_pos_mapper": img2aug_pos_mapper_interpolation,
        }
        for key, interpolation in self.interpolations.items():
            check_choice(self, f"{key}_interpolation", interpolation, [*INTERPOLATIONS, CENTRED])

    def __call__(self, sample_meta: Sample) -> Sample:
        return self.fit(sample_meta, self.draw_output_size())

    def draw(self, height: int, width: int) -> tuple[Size, Mapping[str, str]]:
        """Draw the (height, width) that an image of `height` x `width` gets; return it with the interpolations."""
        return self.new_size(height, width, self.draw_output_size()), self.interpolations

    def draw_output_size(self) -> Size:
        """Return `output_size` times the factor drawn for the next sample."""
        if self.scale_range is None:
            return self.output_size
        low, high = self.scale_range
        scale = low + (high - low) * np.random.random_sample()
        return max(int(self.output_size[0] * scale), 1), max(int(self.output_size[1] * scale), 1)

    def fit(self, sample_meta: Sample, output_size: Size) -> Sample:
        """Resize the arrays of a sample to what `output_size` means for them."""
        arrays = arrays_of(self, sample_meta)
        if arrays:
            size = self.new_size(*size_of(arrays), output_size)
            for key, array in arrays.items():
                sample_meta[key] = resized(array, size, self.interpolations[key])
        return sample_meta

    def new_size(self, height: int, width: int, output_size: Size) -> Size:
        """Return (height, width) that an image of `height` x `width` gets."""
        short_out, long_out = sorted(output_size)
        if not self.keep_ratio:
            new_height, new_width = (short_out, long_out) if height <= width else (long_out, short_out)
        else:
            short, long = sorted((height, width))
            factor = min(long_out / long, short_out / short)
            if self.min_size is not None and _rounded(short * factor) < self.min_size:
                factor = self.min_size / short
            new_height, new_width = _rounded(height * factor), _rounded(width * factor)
        if new_height * new_width > MAX_PIXELS:
            raise ImageError(
                f"{type(self).__name__}: an image of {height} x {width} pixels would become {new_height} x {new_width}"
            )
        return new_height, new_width


class ResizeShortestEdge:
    """Resizes the short edge to a length and keeps the aspect ratio.

    Args:
        short_edge_length: pixels. Of several the smallest is taken.
        max_size: the long edge is not made longer than this, in pixels.
        resize_kwargs: `min_size` and interpolations, as in `Resize`.

    Raises:
        ConfigError: an argument is out of range, or is none of `Resize`.
    """

    def __init__(self, short_edge_length: int | Sequence[int], max_size: int, **resize_kwargs: Any):
        lengths = [short_edge_length] if is_number(short_edge_length) else short_edge_length
        if not (isinstance(lengths, Sequence) and lengths):
            refuse(self, "short_edge_length", short_edge_length, "a positive number or several")
        for length in lengths:
            check_number(self, "short_edge_length", length, low=1)
        check_number(self, "max_size", max_size, low=1)
        self.short_edge_length, self.max_size = min(lengths), max_size
        # It says how to resize; to what size, __call__ tells it.
        self.resize: Resize = _build(Resize, self, resize_kwargs, output_size=1, keep_ratio=True, scale_range=None)

    def __call__(self, sample_meta: Sample) -> Sample:
        arrays = arrays_of(self, sample_meta)
        if not arrays:
            return sample_meta
        return self.resize.fit(sample_meta, self.draw_output_size(*size_of(arrays)))

    def draw(self, height: int, width: int) -> tuple[Size, Mapping[str, str]]:
        """As `Resize.draw`."""
        output_size = self.draw_output_size(height, width)
        return self.resize.new_size(height, width, output_size), self.resize.interpolations

    def draw_output_size(self, height: int, width: int) -> Size:
        """Return what an image of `height` x `width` is to be fitted into."""
        factor = self.draw_length() / min(height, width)
        factor *= min(1.0, self.max_size / (max(height, width) * factor))
        return _rounded(height * factor), _rounded(width * factor)

    def draw_length(self) -> float:
        """Return the length of the short edge for the next sample."""
        return self.short_edge_length


class RandomShortestEdgeResize(ResizeShortestEdge):
    """Resizes the short edge to a length that is drawn for each sample.

    Args:
        short_edge_range: (low, high) in pixels; `high` itself is drawn only where both are equal.
        max_size, resize_kwargs: as in `ResizeShortestEdge`.
    """

    def __init__(self, short_edge_range: Sequence[int], max_size: int, **resize_kwargs: Any):
        self.short_edge_range = check_interval(self, "short_edge_range", short_edge_range, low=1, whole=True)
        super().__init__(self.short_edge_range[0], max_size, **resize_kwargs)

    def draw_length(self) -> float:
        low, high = self.short_edge_range
        return float(np.random.randint(low, high) if low < high else low)


class RandomChoiceResize:
    """Resizes to one of several scales, drawn for each sample.

    Args:
        scales: one or several values of `output_size` (Resize) or `short_edge_length` (ResizeShortestEdge).
        resize_type: "Resize" or "ResizeShortestEdge".
        resize_kwargs: the other arguments of that transform.
    """

    TYPES: Mapping[str, tuple[Callable[..., Any], str]] = {
        "Resize": (Resize, "output_size"),
        "ResizeShortestEdge": (ResizeShortestEdge, "short_edge_length"),
    }

    def __init__(self, scales: int | Sequence[Any], resize_type: str = "Resize", **resize_kwargs: Any):
        check_choice(self, "resize_type", resize_type, self.TYPES)
        scales = [scales] if is_number(scales) else scales
        if not (isinstance(scales, Sequence) and scales):
            refuse(self, "scales", scales, "a number or a sequence of scales")
        resize, name = self.TYPES[resize_type]
        self.resizes = [_build(resize, self, resize_kwargs, **{name: scale}) for scale in scales]

    def __call__(self, sample_meta: Sample) -> Sample:
        resized: Sample = self.draw_resize()(sample_meta)
        return resized

    def draw(self, height: int, width: int) -> tuple[Size, Mapping[str, str]]:
        """As `Resize.draw`."""
        drawn: tuple[Size, Mapping[str, str]] = self.draw_resize().draw(height, width)
        return drawn

    def draw_resize(self) -> Any:
        """Return the resize of the next sample."""
        return self.resizes[np.random.randint(len(self.resizes))]


def resized(array: np.ndarray, size: Size, interpolation: str) -> np.ndarray:
    """Return an array (H, W) or (H, W, C) in another size; where it has that size, the array itself."""
    if array.shape[:2] == size:
        return array
    if interpolation == CENTRED:
        rows, columns = (pixels_at_centres(*edges) for edges in zip(array.shape[:2], size, strict=True))
        return array.take(rows, axis=0).take(columns, axis=1)
    flag = INTERPOLATIONS[interpolation]
    return by_channels(lambda part: cv2.resize(part, size[::-1], interpolation=flag), array)


def pixels_at_centres(old: int, new: int) -> np.ndarray:
    """Which of `old` pixels in a line lies at the centre of each of the `new` ones, (new,); of two the latter.

    OpenCV's INTER_NEAREST_EXACT counts in steps of 1 / 65536, and before 5.0 it drifts in long lines.
    """
    return (2 * np.arange(new) + 1) * old // (2 * new)


def _rounded(length: float) -> int:
    return max(int(length + 0.5), 1)


def _build(resize: Callable[..., Any], owner: object, kwargs: Mapping[str, Any], **given: Any) -> Any:
    name = type(owner).__name__
    for key in kwargs.keys() & given.keys():
        raise ConfigError(f"{name}: {key!r} must be left out; {name} sets it itself")
    return call_with(resize, {**kwargs, **given}, where=name, given=given)
