"""What one image and its label map say of themselves: findings, and the numbers that `ssseg data stats` adds up."""

from dataclasses import dataclass, field
from typing import Any, Self

from .findings import Finding


@dataclass
class Record:
    """What was found in one pair of files.

    Attributes:
        image, label: their paths; "" where there is no label map.
        size: height and width of the image in pixels, None where it cannot be read.
        digest: of the image's pixels; equal for equal pictures, however they are stored.
        mean, square: of the red, green and blue values, and of their squares, in 0..255 and 0..255**2; with the data
            set's option `in_channels` of the channels as they come.
        pixels: label -> how many pixels have it; ignored ones are left out. None where it cannot be read.
        ignored: how many pixels are ignored.
    """

    image: str
    label: str = ""
    findings: list[Finding] = field(default_factory=list)
    size: tuple[int, int] | None = None
    digest: str = ""
    mean: tuple[float, ...] = ()
    square: tuple[float, ...] = ()
    pixels: dict[int, int] | None = None
    ignored: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        return {**vars(self), "findings": [finding.to_json() for finding in self.findings]}

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> Self:
        """Bring back what `to_json` returned."""
        pixels = entry["pixels"]
        return cls(
            **{
                **entry,
                "findings": [Finding(**finding) for finding in entry["findings"]],
                "size": entry["size"] and tuple(entry["size"]),
                "mean": tuple(entry["mean"]),
                "square": tuple(entry["square"]),
                "pixels": None if pixels is None else {int(label): count for label, count in pixels.items()},
            }
        )
