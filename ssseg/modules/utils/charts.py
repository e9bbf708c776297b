"""Diagrams of a run's numbers over time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from .drawing import GRID, INK, PAPER, SOFT, Colour, Picture, font

LINES: tuple[Colour, ...] = ((45, 98, 170), (214, 97, 49), (46, 139, 96), (134, 86, 172), (196, 51, 86), (140, 106, 42))
SCALE = 2  # drawn larger and reduced: Pillow's lines have hard edges

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """One diagram.

    Args:
        title: stands above it.
        series: by name, the x and y of each line; the names stand at the lines' ends. What is not finite is left out.
        xlabel: what x counts.
        colours: of the lines, by name; others take the next of `LINES`.
        bold: names of lines to draw thick.
        log: a logarithmic y axis; what is not positive is left out.
        limits: of the y axis; None fits the values.
        smooth: number of points of a running mean; the values themselves are then drawn pale.
    """

    title: str
    series: Mapping[str, tuple[ArrayLike, ArrayLike]]
    xlabel: str = ""
    colours: Mapping[str, Colour] = field(default_factory=dict)
    bold: Sequence[str] = ()
    log: bool = False
    limits: tuple[float, float] | None = None
    smooth: int = 1

    def lines(self) -> dict[str, tuple[Numbers, Numbers]]:
        """The x and y of each line that has points to draw."""
        lines = {}
        for name, (xs, ys) in self.series.items():
            x, y = np.asarray(xs, np.float64), np.asarray(ys, np.float64)
            shown = np.isfinite(y) & (y > 0) if self.log else np.isfinite(y)
            if shown.any():
                lines[name] = x[shown], y[shown]
        return lines


def curves(panels: Sequence[Panel], size: tuple[int, int] = (420, 640)) -> Picture:
    """Draw diagrams side by side, each of `size` (height, width) pixels; RGB, uint8 (H, W, 3)."""
    height, width = size
    sheet = Image.new("RGB", (width * SCALE * len(panels), height * SCALE), PAPER)
    for k, panel in enumerate(panels):
        drawn = Image.new("RGB", (width * SCALE, height * SCALE), PAPER)
        _Diagram(panel, drawn).draw()
        sheet.paste(drawn, (k * width * SCALE, 0))
    return np.asarray(sheet.reduce(SCALE))


class _Diagram:
    """Draws a panel on an image that is `SCALE` times too large."""

    def __init__(self, panel: Panel, image: Image.Image):
        self.panel, self.pen = panel, ImageDraw.Draw(image)
        self.small, self.large = font(13 * SCALE), font(17 * SCALE)
        self.lines = panel.lines()
        names = max([0.0, *(self.small.getlength(name) for name in self.lines)])
        self.left, self.right = 62 * SCALE, image.width - names - 22 * SCALE
        self.top, self.bottom = 46 * SCALE, image.height - 52 * SCALE
        xs = np.concatenate([[0.0], *(x for x, _ in self.lines.values())])[bool(self.lines) :]
        ys = np.concatenate([[1.0], *(y for _, y in self.lines.values())])[bool(self.lines) :]
        self.first, self.last = float(xs.min()), max(float(xs.max()), float(xs.min()) + 1e-9)
        self.low, self.high = panel.limits or padded(float(ys.min()), float(ys.max()), log=panel.log)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies on the image."""
        y = min(max(y, self.low), self.high)
        if self.panel.log:
            up = math.log(y / self.low) / math.log(self.high / self.low)
        else:
            up = (y - self.low) / (self.high - self.low)
        along = (x - self.first) / (self.last - self.first)
        return self.left + along * (self.right - self.left), self.bottom - up * (self.bottom - self.top)

    def draw(self) -> None:
        middle = (self.left + self.right) / 2
        self.pen.text((self.left, 24 * SCALE), self.panel.title, INK, self.large, anchor="lm")
        self.pen.text((middle, self.bottom + 38 * SCALE), self.panel.xlabel, SOFT, self.small, anchor="mm")
        if not self.lines:
            self.pen.text((middle, (self.top + self.bottom) / 2), "no data yet", SOFT, self.small, anchor="mm")
            return
        self._draw_axes()
        heights = [self._draw_line(k, name) for k, name in enumerate(self.lines)]
        for k, (name, height) in enumerate(zip(self.lines, apart(heights, 15 * SCALE), strict=True)):
            self.pen.text((self.right + 10 * SCALE, height), name, self._colour(k, name), self.small, anchor="lm")

    def _draw_axes(self) -> None:
        rounded = log_ticks if self.panel.log else nice_ticks
        for value in rounded(self.low, self.high):
            height = self.at(self.first, value)[1]
            self.pen.line((self.left, height, self.right, height), GRID, SCALE)
            self.pen.text((self.left - 9 * SCALE, height), f"{value:g}", SOFT, self.small, anchor="rm")
        for value in nice_ticks(self.first, self.last, 7):
            place = self.at(value, self.low)[0]
            self.pen.line((place, self.bottom, place, self.bottom + 5 * SCALE), SOFT, SCALE)
            self.pen.text((place, self.bottom + 17 * SCALE), f"{value:g}", SOFT, self.small, anchor="mm")
        self.pen.line((self.left, self.bottom, self.right, self.bottom), SOFT, SCALE)

    def _draw_line(self, number: int, name: str) -> float:
        """Draw a line; return the height at which it ends."""
        (x, y), colour, smooth = self.lines[name], self._colour(number, name), self.panel.smooth
        if smooth > 1:
            red, green, blue = (round(channel + (255 - channel) * 0.72) for channel in colour)
            self.pen.line([self.at(*point) for point in zip(x, y, strict=True)], (red, green, blue), SCALE, "curve")
        points = [self.at(*point) for point in zip(x, running_mean(y, smooth), strict=True)]
        wide = (3 if name in self.panel.bold else 2) * SCALE
        self.pen.line(points, colour, wide, "curve")
        if len(points) < 30:
            for px, py in points:
                self.pen.ellipse((px - wide, py - wide, px + wide, py + wide), colour)
        return points[-1][1]

    def _colour(self, number: int, name: str) -> Colour:
        return self.panel.colours.get(name, LINES[number % len(LINES)])


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """At most `most` round numbers in [low, high]: multiples of 1, 2 or 5 times a power of ten."""
    least = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(least))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """The numbers 1, 2 and 5 times a power of ten in [low, high]; evenly spaced ones where those are too few."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [m * 10.0**d for d in decades for m in (1, 2, 5) if low <= m * 10.0**d <= high]
    return ticks if len(ticks) > 2 else nice_ticks(low, high)


def running_mean(values: Numbers, count: int) -> Numbers:
    """The mean of the `count` values around each, of fewer at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    index = np.arange(len(values))
    first, last = np.maximum(index - count // 2, 0), np.minimum(index + (count + 1) // 2, len(values))
    return (sums[last] - sums[first]) / (last - first)


def padded(low: float, high: float, *, log: bool) -> tuple[float, float]:
    """Limits with a little room around the values."""
    if log:
        room = max((high / low) ** 0.06, 1.05)
        return low / room, high * room
    room = (high - low) * 0.06 or max(abs(high) * 0.06, 1e-6)
    return low - room, high + room


def apart(wanted: Sequence[float], step: float) -> list[float]:
    """Heights near those wanted, in the same order and `step` apart or more: those that collide keep their mean."""
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    groups: list[list[int]] = []
    middles: list[float] = []
    for k in order:
        groups.append([k])
        middles.append(wanted[k])
        while len(groups) > 1 and middles[-1] - middles[-2] < step * (len(groups[-1]) + len(groups[-2])) / 2:
            joined = groups.pop()
            groups[-1] += joined
            middles.pop()
            middles[-1] = sum(wanted[member] for member in groups[-1]) / len(groups[-1])
    placed = list(wanted)
    for group, middle in zip(groups, middles, strict=True):
        for place, k in enumerate(group):
            placed[k] = middle + step * (place - (len(group) - 1) / 2)
    return placed
