"""Pictures for people: label maps over images, sheets of examples, curves of a run. Arrays are RGB, uint8 (H, W, 3)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from .errors import ShapeError

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

INK, SOFT, GRID, PAPER = (36, 41, 47), (110, 118, 129), (228, 231, 235), (255, 255, 255)
LINES: tuple[Colour, ...] = ((45, 98, 170), (214, 97, 49), (46, 139, 96), (134, 86, 172), (196, 51, 86), (140, 106, 42))


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, `size` pixels high."""
    return ImageFont.load_default(size)


def overlay(image: Picture, labels: NDArray[np.integer], palette: Sequence[Colour], alpha: float = 0.5) -> Picture:
    """Lay the classes' colours over an image; pixels whose label is no index of the palette stay as they are.

    Args:
        image: RGB, uint8 (H, W, 3).
        labels: integers (H, W).
        palette: the RGB colour of each label.
        alpha: share of the class's colour, in [0, 1].

    Raises:
        ShapeError: the label map is not as large as the image.
    """
    if image.shape[:2] != labels.shape:
        raise ShapeError(f"overlay: the label map is {labels.shape}, the image {image.shape[:2]} (height, width).")
    known = (labels >= 0) & (labels < len(palette))
    colours = np.asarray(palette, np.float32)[np.where(known, labels, 0)]
    share = np.where(known, np.float32(alpha), np.float32(0))[..., None]
    return np.rint(image + (colours - image) * share).astype(np.uint8)


def contact_sheet(
    rows: Sequence[Sequence[Picture]],
    titles: Sequence[str],
    legend: Mapping[str, Colour],
    captions: Sequence[str] = (),
    width: int = 360,
) -> Picture:
    """Pictures in rows and columns, with a title over each column and the classes' colours below.

    Args:
        rows: pictures, as many in each row as there are titles; each row takes the shape of its first picture.
        titles: of the columns.
        legend: the colour of each class name.
        captions: a line of text under each row's first picture, or nothing.
        width: of a column, pixels.
    """
    gap, head, line = 12, 34, 26
    heights = [round(width * row[0].shape[0] / row[0].shape[1]) for row in rows]
    below = line if captions else 0
    across = len(titles) * (width + gap) + gap
    entries = _flow(list(legend), across - 2 * gap, 16)
    depth = (entries[-1][2] + 1) if entries else 0
    total = head + sum(heights) + (gap + below) * len(rows) + depth * line + gap
    sheet = Image.new("RGB", (across, total), PAPER)
    draw = ImageDraw.Draw(sheet)
    for k, title in enumerate(titles):
        draw.text((gap + k * (width + gap) + width / 2, head / 2 + 1), title, INK, font(17), anchor="mm")
    top = head
    for number, (row, height) in enumerate(zip(rows, heights, strict=True)):
        for k, picture in enumerate(row):
            smooth = Image.Resampling.BICUBIC if k == 0 else Image.Resampling.BOX
            sheet.paste(Image.fromarray(picture).resize((width, height), smooth), (gap + k * (width + gap), top))
        if captions:
            draw.text((gap, top + height + below / 2 + 1), captions[number], SOFT, font(14), anchor="lm")
        top += height + gap + below
    for name, left, level in entries:
        x, y = gap + left, top + level * line + line // 2
        draw.rounded_rectangle((x, y - 7, x + 14, y + 7), 3, fill=legend[name])
        draw.text((x + 21, y), name, INK, font(16), anchor="lm")
    return np.asarray(sheet)


def _flow(names: Sequence[str], width: int, size: int) -> list[tuple[str, int, int]]:
    """Legend entries set like words: (name, pixels from the left, line)."""
    placed, left, level = [], 0, 0
    for name in names:
        need = 21 + math.ceil(font(size).getlength(name)) + 20
        if left and left + need > width:
            left, level = 0, level + 1
        placed.append((name, left, level))
        left += need
    return placed


@dataclass(frozen=True)
class Panel:
    """One diagram.

    Args:
        title: stands above it.
        series: by name, the x and y of each line; the names stand at the lines' ends.
        xlabel: what x counts.
        colours: of the lines, by name; others take the next of `LINES`.
        bold: names of lines to draw thick.
        log: a logarithmic y axis; values must be positive.
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


def curves(panels: Sequence[Panel], size: tuple[int, int] = (420, 640)) -> Picture:
    """Diagrams side by side, each of `size` (height, width) pixels."""
    scale = 2  # drawn larger and reduced: Pillow's lines have hard edges
    sheet = Image.new("RGB", (size[1] * scale * len(panels), size[0] * scale), PAPER)
    for k, panel in enumerate(panels):
        drawn = Image.new("RGB", (size[1] * scale, size[0] * scale), PAPER)
        _draw_panel(ImageDraw.Draw(drawn), panel, size, scale)
        sheet.paste(drawn, (k * size[1] * scale, 0))
    return np.asarray(sheet.reduce(scale))


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """At most `most` round numbers in [low, high], steps of 1, 2 or 5 times a power of ten."""
    span = (high - low) or 1.0
    step = 10.0 ** math.floor(math.log10(span / most))
    while span / step > most - 1:
        step *= 2.5 if round(step / 10.0 ** math.floor(math.log10(step) + 1e-9)) == 2 else 2
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """The numbers 1, 2 and 5 times a power of ten in [low, high]."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [m * 10.0**d for d in decades for m in (1, 2, 5) if low <= m * 10.0**d <= high]


def running_mean(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The mean of the `count` values around each, of fewer at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    index = np.arange(len(values))
    first, last = np.maximum(index - count // 2, 0), np.minimum(index + (count - 1) // 2 + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)


def _draw_panel(draw: ImageDraw.ImageDraw, panel: Panel, size: tuple[int, int], scale: int) -> None:
    lines = {
        name: (np.asarray(x, np.float64).ravel(), np.asarray(y, np.float64).ravel())
        for name, (x, y) in panel.series.items()
    }
    lines = {name: (x[np.isfinite(y)], y[np.isfinite(y)]) for name, (x, y) in lines.items()}
    lines = {name: line for name, line in lines.items() if len(line[0])}
    small, large = font(13 * scale), font(17 * scale)
    margin = max([0.0, *(small.getlength(name) for name in lines)])
    left, right, top, bottom = 62 * scale, size[1] * scale - margin - 22 * scale, 46 * scale, (size[0] - 52) * scale
    draw.text((left, 24 * scale), panel.title, INK, large, anchor="lm")
    draw.text(((left + right) / 2, bottom + 38 * scale), panel.xlabel, SOFT, small, anchor="mm")
    if not lines:
        draw.text(((left + right) / 2, (top + bottom) / 2), "no data yet", SOFT, small, anchor="mm")
        return
    xs, ys = (np.concatenate([line[k] for line in lines.values()]) for k in (0, 1))
    low, high = panel.limits or _padded(float(ys.min()), float(ys.max()), panel.log)
    first, last = float(xs.min()), max(float(xs.max()), float(xs.min()) + 1e-9)
    bend: Callable[[float], float] = math.log if panel.log else float

    def at(x: float, y: float) -> tuple[float, float]:
        up = (bend(min(max(y, low), high)) - bend(low)) / (bend(high) - bend(low))
        return left + (x - first) / (last - first) * (right - left), bottom - up * (bottom - top)

    for value in log_ticks(low, high) if panel.log else nice_ticks(low, high):
        y = at(first, value)[1]
        draw.line((left, y, right, y), GRID, scale)
        draw.text((left - 9 * scale, y), f"{value:g}", SOFT, small, anchor="rm")
    for value in nice_ticks(first, last, 7):
        x = at(value, low)[0]
        draw.line((x, bottom, x, bottom + 5 * scale), SOFT, scale)
        draw.text((x, bottom + 17 * scale), f"{value:g}", SOFT, small, anchor="mm")
    draw.line((left, bottom, right, bottom), SOFT, scale)

    ends = []
    for k, (name, (x, y)) in enumerate(lines.items()):
        colour = panel.colours.get(name, LINES[k % len(LINES)])
        mean = running_mean(y, panel.smooth)
        if panel.smooth > 1:
            pale = tuple(round(c + (255 - c) * 0.72) for c in colour)
            draw.line([at(*p) for p in zip(x, y, strict=True)], pale, scale, "curve")
        points = [at(*p) for p in zip(x, mean, strict=True)]
        wide = (3 if name in panel.bold else 2) * scale
        draw.line(points, colour, wide, "curve")
        if len(points) < 30:
            for px, py in points:
                draw.ellipse((px - wide, py - wide, px + wide, py + wide), colour)
        ends.append((points[-1][1], name, colour))
    for y, name, colour in _apart(ends, 15.0 * scale, bottom):
        draw.text((right + 10 * scale, y), name, colour, small, anchor="lm")


def _padded(low: float, high: float, log: bool) -> tuple[float, float]:
    """Limits with a little room around the values."""
    if log:
        room = max((high / low) ** 0.06, 1.05)
        return low / room, high * room
    room = (high - low) * 0.06 or max(abs(high) * 0.06, 1e-6)
    return low - room, high + room


def _apart(ends: list[tuple[float, str, Colour]], step: float, bottom: float) -> list[tuple[float, str, Colour]]:
    """Move the names at the lines' ends so far that none covers another, from the lowest one up."""
    placed, limit = [], bottom
    for y, name, colour in sorted(ends, key=lambda end: -end[0]):
        limit = min(y, limit)
        placed.append((limit, name, colour))
        limit -= step
    return placed
