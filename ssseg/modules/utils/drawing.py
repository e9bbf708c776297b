"""Pictures for people: label maps over images, and sheets of examples. Arrays are RGB, uint8 (H, W, 3)."""

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .errors import ShapeError

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

INK, SOFT, GRID, PAPER = (36, 41, 47), (110, 118, 129), (228, 231, 235), (255, 255, 255)


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
    captions: Sequence[Sequence[str]] = (),
    width: int = 360,
) -> Picture:
    """Pictures in rows and columns, with a title over each column and the classes' colours below.

    Args:
        rows: pictures, as many in each row as there are titles; each row takes the shape of its first picture.
        titles: of the columns.
        legend: the colour of each class name.
        captions: a line of text under each picture, in the same rows; nothing leaves no room for them.
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
            left = gap + k * (width + gap)
            sheet.paste(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC), (left, top))
            if captions:
                draw.text((left, top + height + below / 2 + 1), captions[number][k], SOFT, font(14), anchor="lm")
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
