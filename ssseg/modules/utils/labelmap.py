"""What the numbers in label files mean: one table for reading, metrics, pictures and export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import cv2
import numpy as np

from .errors import ConfigError, LabelError
from .rawlabels import UNKNOWN, Array, as_numbers, colour_codes, found, look_up, look_up_integers, ranges

Colour = tuple[int, int, int]

IGNORE_INDEX = -100  # what `clsid2label` of a data set class calls "ignored", whatever the configured ignore index is
_BACKGROUNDS = ("__background__", "background")
_AUTO_CORRECT = "SEGMENTOR_CFG['dataset']['auto_correct_invalid_seg_target'] = True"


@dataclass(frozen=True)
class LabelMap:
    """Classes, their colours, and which class the numbers of a label file stand for.

    Attributes:
        classnames: the name of each label 0 .. K-1.
        palette: the colour (r, g, b) of each label, 0..255.
        ignore_index: the label of pixels that count neither in the loss nor in the metrics.
        background: the label of the background class, if there is one.
        raw_to_label: number in a file -> label, all of them; where empty, the numbers are the labels.
        colour_to_raw: colour in a file -> number, for label files that hold colours.

    Raises:
        ConfigError: there are not as many colours as names, or a number stands for what is no class.
    """

    classnames: tuple[str, ...]
    palette: tuple[Colour, ...]
    ignore_index: int = IGNORE_INDEX
    background: int | None = None
    raw_to_label: dict[int, int] = field(default_factory=dict)
    colour_to_raw: dict[Colour, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.classnames) != len(self.palette):
            raise ConfigError(f"label map: {len(self.classnames)} class names but {len(self.palette)} colours")
        if not UNKNOWN < self.ignore_index < -UNKNOWN:
            raise ConfigError(f"label map: ignore_index={self.ignore_index} does not fit into 16 bits")
        if not self.raw_to_label:
            object.__setattr__(self, "raw_to_label", {label: label for label in range(self.num_classes)})
        for raw, label in self.raw_to_label.items():
            if not (0 <= label < self.num_classes or label == self.ignore_index):
                raise ConfigError(
                    f"label map: the number {raw} stands for label {label}, but labels are 0..{self.num_classes - 1} "
                    f"or {self.ignore_index} (ignored)"
                )

    @classmethod
    def of_classes(
        cls,
        classnames: Sequence[str],
        palette: Sequence[Sequence[int]],
        clsid2label: Mapping[int, int] | None = None,
        ignore_index: int = IGNORE_INDEX,
        color2clsid: Mapping[Colour, int] | None = None,
    ) -> Self:
        """Build the map of a data set class, whose `clsid2label` lists only the numbers that are not the label itself.

        -100 on the right of `clsid2label` means ignored. Pixels that hold `ignore_index` or -100 are ignored.
        """
        table = {int(raw): ignore_index if to == IGNORE_INDEX else int(to) for raw, to in (clsid2label or {}).items()}
        for same in range(len(classnames)):
            table.setdefault(same, same)
        for ignored in (ignore_index, IGNORE_INDEX):
            table.setdefault(ignored, ignore_index)
        return cls(
            classnames=tuple(classnames),
            palette=tuple(_colour(entry) for entry in palette),
            ignore_index=ignore_index,
            background=next((label for label, name in enumerate(classnames) if name in _BACKGROUNDS), None),
            raw_to_label=table,
            colour_to_raw={_colour(entry): int(raw) for entry, raw in (color2clsid or {}).items()},
        )

    @property
    def num_classes(self) -> int:
        return len(self.classnames)

    @cached_property
    def label_to_raw(self) -> dict[int, int]:
        """The number that files hold for each label: of several the first listed, the label itself if there is none."""
        inverse: dict[int, int] = {}
        for raw, label in self.raw_to_label.items():
            inverse.setdefault(label, raw)
        return {label: label for label in (self.ignore_index, *range(self.num_classes))} | inverse

    def apply(self, raw: Array, *, where: str, ignore_unknown: bool = False) -> Array:
        """Turn the contents of a label file into labels, all numbers at once.

        Args:
            raw: (H, W) numbers, or colours (H, W, 3) uint8, RGB. Where no colours are known, three equal channels are
                taken as one.
            where: the file, for messages.
            ignore_unknown: numbers and colours that the map does not explain become `ignore_index`.

        Returns:
            (H, W) int16: 0 .. K-1 or `ignore_index`.

        Raises:
            LabelError: a number or colour that the map does not explain, NaN, a fraction, or another shape.
        """
        if raw.ndim == 3 and raw.shape[2] == 3 and self.colour_to_raw:
            labels = look_up(colour_codes(raw), *self._colour_table)
        else:
            raw = as_numbers(raw, where)
            if raw.dtype == np.uint8 and raw.size:
                labels = cv2.LUT(np.ascontiguousarray(raw), self._byte_table)
            else:
                labels = look_up_integers(raw, *self._sorted_table)
        if labels.size and labels.min() == UNKNOWN:
            unknown = labels == UNKNOWN
            if not ignore_unknown:
                raise LabelError(f"{where}: {found(raw, unknown)}. {self._explained(colours=raw.ndim == 3)}")
            labels[unknown] = self.ignore_index
        return labels

    def to_raw(self, labels: Array) -> Array:
        """Turn labels (H, W) back into the numbers of the data set's files, (H, W) int32."""
        keys = np.array(sorted(self.label_to_raw))
        numbers = np.array([self.label_to_raw[key] for key in keys.tolist()], np.int32)
        return numbers[np.searchsorted(keys, labels)]

    def colourise(self, labels: Array) -> Array:
        """Paint labels (H, W) as (H, W, 3) uint8, RGB; what is no class is black."""
        colours = np.array([*self.palette, (0, 0, 0)], np.uint8)
        known = (labels >= 0) & (labels < self.num_classes)
        return colours[np.where(known, labels, self.num_classes)]

    def to_json(self) -> dict[str, Any]:
        """Return the map as JSON can hold it; `from_json` brings it back."""
        return {
            "classnames": list(self.classnames),
            "palette": [list(colour) for colour in self.palette],
            "ignore_index": self.ignore_index,
            "background": self.background,
            "raw_to_label": {str(raw): label for raw, label in self.raw_to_label.items()},
            "colour_to_raw": [[list(colour), raw] for colour, raw in self.colour_to_raw.items()],
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Bring back what `to_json` returned; LabelError where `record` is nothing of the kind."""
        try:
            background = record["background"]
            return cls(
                classnames=tuple(str(name) for name in record["classnames"]),
                palette=tuple(_colour(entry) for entry in record["palette"]),
                ignore_index=int(record["ignore_index"]),
                background=None if background is None else int(background),
                raw_to_label={int(raw): int(label) for raw, label in record["raw_to_label"].items()},
                colour_to_raw={_colour(entry): int(raw) for entry, raw in record["colour_to_raw"]},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LabelError(f"label map: cannot be read back: {error!r}") from error

    @cached_property
    def _sorted_table(self) -> tuple[Array, Array]:
        numbers = sorted(self.raw_to_label)
        return np.array(numbers, np.int64), np.array([self.raw_to_label[number] for number in numbers], np.int16)

    @cached_property
    def _byte_table(self) -> Array:
        return look_up(np.arange(256), *self._sorted_table)

    @cached_property
    def _colour_table(self) -> tuple[Array, Array]:
        codes = {int(colour_codes(np.array(colour))): raw for colour, raw in sorted(self.colour_to_raw.items())}
        return np.array(list(codes), np.int64), look_up(np.array(list(codes.values())), *self._sorted_table)

    def _explained(self, *, colours: bool) -> str:
        """What the map does explain, and how to get on with the rest."""
        kind = f"{len(self.colour_to_raw)} colours" if colours else f"the ids {ranges(self.raw_to_label)}"
        cure = "Add the colour to classes.txt (or `color2clsid` of the data set class), or to" if colours else "To"
        return (
            f"The {self.num_classes} classes are known by {kind}; {self.ignore_index} is ignored. "
            f"{cure} ignore such pixels set {_AUTO_CORRECT}."
        )


def _colour(entry: Sequence[int]) -> Colour:
    red, green, blue = (int(channel) for channel in entry)
    if not all(0 <= channel <= 255 for channel in (red, green, blue)):
        raise ConfigError(f"label map: the colour {tuple(entry)} is not (r, g, b) in 0..255")
    return red, green, blue
