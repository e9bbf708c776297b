"""Crops that show rare classes more often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np

from ...utils.errors import ConfigError

AUTO = "auto"


@dataclass(frozen=True)
class RareClassFocus:
    """Where a crop is centred: on a pixel of a class that is drawn with the weight share ** -0.5.

    Args:
        prob: the probability that a crop is centred so, in [0, 1]; others lie anywhere.
        shares: of each class in the pixels of the training set; None for the shares in the picture itself.
    """

    prob: float
    shares: tuple[float, ...] | None = None

    @classmethod
    def of(cls, option: Any, where: str) -> Self | None:
        """Return what the option `rare_class_crop` asks for.

        Args:
            option: None, `{"prob": 0.5, "shares": [...]}`, or "auto" for the prob 0.5. Where shares are missing or
                "auto", a training run counts them; without a run they are those in the picture.

        Raises:
            ConfigError: it is nothing of the kind.
        """
        if option is None:
            return None
        fields: Any = {"prob": 0.5, "shares": AUTO} if option == AUTO else option
        form = "must be 'auto' or {'prob': number in [0, 1], 'shares': [share of each class] or 'auto'}"
        if not isinstance(fields, Mapping) or not {"prob"} <= set(fields) <= {"prob", "shares"}:
            raise ConfigError(f"{where}={option!r} {form}")
        prob, shares = fields["prob"], fields.get("shares", AUTO)
        if not _is_share(prob) or (shares != AUTO and not _are_shares(shares)):
            raise ConfigError(f"{where}={option!r} {form}")
        return cls(float(prob), None if shares == AUTO else tuple(map(float, shares)))

    def draw(self, labels: np.ndarray, ignore_index: int) -> tuple[int, int] | None:
        """Return row and column of a pixel, None where the crop may lie anywhere.

        Args:
            labels: (H, W) int16; negative ones and `ignore_index` do not count.
        """
        count = int(labels.max()) + 1
        if count < 1 or np.random.random_sample() >= self.prob:
            return None
        pixels = cv2.calcHist([labels.astype(np.int16, copy=False).view(np.uint16)], [0], None, [count], [0, count])
        pixels = pixels.ravel().astype(np.float64)
        if 0 <= ignore_index < count:
            pixels[ignore_index] = 0
        present = np.flatnonzero(pixels)
        if not present.size:
            return None
        if self.shares is not None and count > len(self.shares):
            raise ConfigError(
                f"SEGMENTOR_CFG['dataset']['train']['rare_class_crop']: lists {len(self.shares)} shares, "
                f"but a label map holds the label {count - 1}"
            )
        shares = pixels / pixels.sum() if self.shares is None else np.array(self.shares)
        weights = np.maximum(shares[present], 1e-9) ** -0.5
        return _pixel_of(labels == np.random.choice(present, p=weights / weights.sum()))


def _pixel_of(mask: np.ndarray) -> tuple[int, int]:
    """Draw one of the true pixels, all alike: its row by how many each row has, then its place in the row."""
    in_rows = np.cumsum(np.count_nonzero(mask, axis=1))
    number = np.random.randint(in_rows[-1])
    row = int(np.searchsorted(in_rows, number, side="right"))
    before = int(in_rows[row - 1]) if row else 0
    return row, int(np.flatnonzero(mask[row])[number - before])


def _are_shares(values: Any) -> bool:
    return isinstance(values, Sequence) and not isinstance(values, str) and all(map(_is_share, values)) and any(values)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
