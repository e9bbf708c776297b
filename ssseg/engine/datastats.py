"""`ssseg data stats`: how large the images are, how often each class is seen, and weights that make up for that."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..modules.utils.errors import ConfigError, DataError, listed, nearest
from .dataaudit.records import Record

Shares = Sequence[float]


def inverse(shares: Shares) -> list[float]:
    """1 / p."""
    return [1 / share for share in shares]


def sqrt_inverse(shares: Shares) -> list[float]:
    """p ** -0.5."""
    return [share**-0.5 for share in shares]


def enet(shares: Shares) -> list[float]:
    """1 / ln(1.02 + p), which stays below 50.5 however rare a class is.

    Paper: Paszke et al., "ENet", 2016, arXiv:1606.02147, section 5.2.
    """
    return [1 / math.log(1.02 + share) for share in shares]


def median_frequency(frequencies: Shares) -> list[float]:
    """median(f) / f, where f is the share of a class in those images that have it.

    Paper: Eigen and Fergus, "Predicting Depth, Surface Normals and Semantic Labels with a Common Multi-Scale
    Convolutional Architecture", ICCV 2015, arXiv:1411.4734, section 6.2.
    """
    return [statistics.median(frequencies) / frequency for frequency in frequencies]


FORMULAE: dict[str, Callable[[Shares], list[float]]] = {
    "inverse": inverse,
    "sqrt_inverse": sqrt_inverse,
    "enet": enet,
    "median_frequency": median_frequency,
}


@dataclass(frozen=True)
class ClassCounts:
    """How often each class is seen.

    Attributes:
        pixels: of each class.
        images: how many have the class.
        pixels_of_images: labelled pixels of those images.
    """

    pixels: Sequence[int]
    images: Sequence[int]
    pixels_of_images: Sequence[int]

    @classmethod
    def of(cls, records: Sequence[Record], num_classes: int) -> "ClassCounts":
        """Add up records; those without a label map that can be read do not count."""
        pixels, images, whole = ([0] * num_classes for _ in range(3))
        for record in records:
            total = sum((record.pixels or {}).values())
            for label, count in (record.pixels or {}).items():
                pixels[label] += count
                images[label] += 1
                whole[label] += total
        return cls(pixels, images, whole)

    @property
    def shares(self) -> list[float]:
        """The share of each class in all labelled pixels."""
        total = sum(self.pixels)
        return [count / total if total else 0.0 for count in self.pixels]

    def weights(self, formula: str) -> list[float]:
        """Return a weight for each class, 0 for those that are not seen.

        They are scaled to an average of 1 over the labelled pixels, so that losses keep their size and a learning rate
        its meaning.

        Raises:
            ConfigError: no formula has that name.
            DataError: no class is seen.
        """
        if formula not in FORMULAE:
            raise ConfigError(f"{formula!r} is no formula.{nearest(formula, FORMULAE)} There are: {listed(FORMULAE)}.")
        seen = [label for label, count in enumerate(self.pixels) if count]
        if not seen:
            raise DataError("class weights need label maps with at least one pixel that is not ignored")
        if formula == "median_frequency":
            values = [self.pixels[label] / self.pixels_of_images[label] for label in seen]
        else:
            values = [self.shares[label] for label in seen]
        raw = FORMULAE[formula](values)
        scale = 1 / sum(self.shares[label] * weight for label, weight in zip(seen, raw, strict=True))
        weights = [0.0] * len(self.pixels)
        for label, weight in zip(seen, raw, strict=True):
            weights[label] = float(f"{weight * scale:.6g}")  # so many digits as a config file should show
        return weights


def summarize(records: Sequence[Record], classnames: Sequence[str], in_channels: int | None = None) -> dict[str, Any]:
    """Return the figures of a set: sizes in pixels, colours in 0..255 (RGB), classes with shares and weights.

    Args:
        in_channels: the data set's option, with which the colours are those of its channels.

    Raises:
        DataError: none of its images can be read.
    """
    read = [record for record in records if record.size]
    if not read:
        raise DataError(f"none of the {len(records)} images can be read; `ssseg data check` says why")
    counts = ClassCounts.of(read, len(classnames))
    labelled, ignored = sum(counts.pixels), sum(record.ignored for record in read)
    formulae = FORMULAE if labelled else ()
    weights = {formula: counts.weights(formula) for formula in formulae}
    return {
        "images": len(read),
        "unreadable": len(records) - len(read),
        "height": _spread([record.size[0] for record in read if record.size]),
        "width": _spread([record.size[1] for record in read if record.size]),
        "channels": "RGB" if in_channels is None else f"{in_channels} channels",
        **_colours(read),
        "ignored_share": ignored / (labelled + ignored) if labelled + ignored else 0.0,
        "classes": [
            {
                "name": name,
                "share": counts.shares[label],
                "images": counts.images[label],
                "weights": {formula: weights[formula][label] for formula in weights},
            }
            for label, name in enumerate(classnames)
        ],
    }


def summary_table(figures: Mapping[str, Any]) -> list[str]:
    """Return the lines of a table of what `summarize` returned."""
    lines = [f"images    {figures['images']}" + f", {figures['unreadable']} unreadable" * bool(figures["unreadable"])]
    for edge in ("height", "width"):
        lines.append(f"{edge:10}" + ", ".join(f"{name} {value:g}" for name, value in figures[edge].items()))
    lines += [
        f"{name:10}" + ", ".join(f"{value:.3f}" for value in figures[name]) + f" ({figures['channels']})"
        for name in ("mean", "std")
    ]
    lines.append(f"ignored   {100 * figures['ignored_share']:.2f} % of the pixels")
    width = max(5, *(len(entry["name"]) for entry in figures["classes"]))
    formulae = list(figures["classes"][0]["weights"])
    lines.append(f"{'class':{width}} {'share %':>9} {'images':>8}" + "".join(f" {name:>16}" for name in formulae))
    for entry in figures["classes"]:
        numbers = "".join(f" {entry['weights'][formula]:16.4g}" for formula in formulae)
        lines.append(f"{entry['name']:{width}} {100 * entry['share']:9.4f} {entry['images']:8}{numbers}")
    return lines


def _spread(lengths: Sequence[int]) -> dict[str, float]:
    return {"min": min(lengths), "median": statistics.median(lengths), "max": max(lengths)}


def _colours(records: Sequence[Record]) -> dict[str, list[float]]:
    """The mean and standard deviation of all pixels, by channel."""
    sizes = [math.prod(record.size or ()) for record in records]
    mean, square = (
        [
            sum(size * values[channel] for size, values in zip(sizes, rows, strict=True)) / sum(sizes)
            for channel in range(len(records[0].mean))
        ]
        for rows in ([record.mean for record in records], [record.square for record in records])
    )
    return {"mean": mean, "std": [math.sqrt(max(s - m * m, 0.0)) for m, s in zip(mean, square, strict=True)]}
