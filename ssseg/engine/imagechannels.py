"""As many channels in the images of the data set as the backbone and the transforms take."""

import math
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any

import cv2
import numpy as np

from ..modules.utils.errors import ConfigError, DataError, listed
from ..modules.utils.filekinds import shown
from ..modules.utils.rasters import GREY_LEVEL, RasterHeader, read_raster
from .backbonecfg import backbones_of, change_backbones
from .problems import ROOT, Problem, section

_DEFAULT = 3
_READ_AS_COLOURS = (1, 3, 4)
_MEASURED = 50  # images whose colours are measured


def images_channels(cfg: Mapping[str, Any]) -> int | None:
    """Return `in_channels` of the data set, None where it reads 8-bit BGR."""
    dataset = section(cfg, "dataset")
    for part in (dataset, section(dataset, "train"), section(dataset, "test")):
        if part.get("in_channels") is not None:
            return int(part["in_channels"])
    return None


def with_image_channels(cfg: Mapping[str, Any]) -> Any:
    """Return a cfg whose backbone takes as many channels as the images have.

    Raises:
        ConfigError: the backbone's own `in_channels` is another number.
    """
    for problem in channel_problems(cfg):
        raise ConfigError(f"{problem.place}: {problem.message}")
    channels = images_channels(cfg)
    return cfg if channels is None else change_backbones(cfg, lambda backbone: {"in_channels": channels})


def input_channels(cfg: Mapping[str, Any]) -> int:
    """Return how many channels the network reads: those of the images, else those of its backbone."""
    return images_channels(cfg) or int(section(cfg, "backbone").get("in_channels", _DEFAULT))


def channel_problems(cfg: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem where the backbone takes another number of channels than the data set reads."""
    if not cfg.get("dataset"):
        return
    channels = images_channels(cfg)
    for place, part in backbones_of(cfg):
        given = part.get("in_channels", channels)
        if given not in (channels, _DEFAULT if channels is None else channels):
            reads = f"is {channels}" if channels else f"is not set, which reads {_DEFAULT}"
            message = f"is {given}, but {ROOT}['dataset']['in_channels'] {reads}; both are the channels of the images"
            yield Problem(f"{ROOT}['backbone']{place}['in_channels']", message)


def normalize_problems(cfg: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each `Normalize` whose mean is not as long as the images have channels."""
    dataset, channels = section(cfg, "dataset"), images_channels(cfg) or _DEFAULT
    for part in ("", "train", "test"):
        owner = section(dataset, part) if part else dataset
        for number, entry in enumerate(owner.get("data_pipelines") or ()):
            match entry:
                case ["Normalize", {"mean": mean}] | {"type": "Normalize", "mean": mean} if len(mean) != channels:
                    place = f"{ROOT}['dataset']" + f"[{part!r}]" * bool(part) + f"['data_pipelines'][{number}]"
                    message = f"the mean has {len(mean)} numbers, but images have {channels} channels; "
                    yield Problem(place, message + "`ssseg data stats` prints mean and std of yours")


def unusual_channels(headers: Mapping[str, RasterHeader]) -> int | None:
    """Return the `in_channels` that images need, None where they can be read as colours.

    Args:
        headers: of the images, by path.

    Raises:
        DataError: they differ in a way that no reading makes up for.
    """
    counts = {header.channels: path for path, header in headers.items()}
    if set(counts) <= set(_READ_AS_COLOURS):
        return None
    if len(counts) > 1:
        found = listed([f"{count} in {shown(path)}" for count, path in sorted(counts.items())])
        raise DataError(f"the images differ in the number of their channels: {found}")
    return next(iter(counts))


def fit_normalize(dataset_cfg: MutableMapping[str, Any], paths: Sequence[str], channels: int) -> str:
    """Let each `Normalize` whose mean has another length take mean and deviation of some images; say what it takes."""
    chosen = paths[:: max(1, len(paths) // _MEASURED)]
    means, squares = np.zeros(channels), np.zeros(channels)
    for path in chosen:
        mean, deviation = moments(read_raster(path, channels))
        means += mean / len(chosen)
        squares += (mean**2 + deviation**2) / len(chosen)
    numbers = {
        "mean": [float(f"{value:.6g}") for value in means],
        "std": [float(f"{math.sqrt(max(s - m * m, 0)) or 1:.6g}") for m, s in zip(means, squares, strict=True)],
        "to_rgb": False,
    }
    for owner in (dataset_cfg, dataset_cfg.get("train") or {}, dataset_cfg.get("test") or {}):
        if "data_pipelines" in owner:
            owner["data_pipelines"] = [_fitted(entry, numbers) for entry in owner["data_pipelines"]]
    return f"Normalize takes mean {numbers['mean']} and std {numbers['std']} of {len(chosen)} images"


def _fitted(entry: Any, numbers: Mapping[str, Any]) -> Any:
    match entry:
        case ["Normalize", {"mean": mean}] if len(mean) != len(numbers["mean"]):
            return ("Normalize", dict(numbers))
        case {"type": "Normalize", "mean": mean} if len(mean) != len(numbers["mean"]):
            return {"type": "Normalize", **numbers}
    return entry


def moments(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each channel of (H, W, C), in grey levels of 8 bits."""
    planes = [image[..., channel] for channel in range(image.shape[2])]
    found = np.array([[float(value.item()) for value in cv2.meanStdDev(plane)] for plane in planes])
    mean, deviation = found.T / (GREY_LEVEL if image.dtype == np.uint16 else 1)
    return mean, deviation
