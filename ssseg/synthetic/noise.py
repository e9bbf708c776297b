"""Random numbers and fractal noise that are equal on every machine.

Scenes are made of `Generator.random`, integers, comparisons and + - * / sqrt, which IEEE 754 defines to the last bit.
Sines, exponentials, normal deviates, sums and matrix products differ in it between processors and libraries.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]  # float32 throughout
T = TypeVar("T")

TEXTURE_BITS = 8
TEXTURE_SIZE = 1 << TEXTURE_BITS  # pixels


class Dice:
    """The draws of one scene.

    Args:
        key: what the scene depends on, such as (seed, set, number).
    """

    def __init__(self, *key: int):
        self.generator = np.random.Generator(np.random.PCG64(key))

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high); `Generator.uniform` may be compiled to a fused multiply-add, which rounds once."""
        return low + (high - low) * float(self.generator.random())

    def integer(self, low: int, high: int) -> int:
        """An integer in [low, high]."""
        return int(self.generator.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return float(self.generator.random()) < probability

    def choice(self, options: Sequence[T]) -> T:
        """One of the options, each as likely."""
        return options[self.integer(0, len(options) - 1)]

    def array(self, *shape: int) -> Array:
        """Numbers in [0, 1)."""
        return self.generator.random(shape, dtype=np.float32)


def _interpolate(lattice: Array, count: int, axis: int) -> Array:
    """Stretch a periodic lattice to `count` points along an axis, smoothly."""
    cells = lattice.shape[axis]
    position = np.arange(count, dtype=np.float32) * (cells / count)
    left = position.astype(np.int32)
    t = position - left.astype(np.float32)
    t = t * t * (3 - 2 * t)
    t = t[:, None] if axis == 0 else t
    first, second = lattice.take(left, axis), lattice.take((left + 1) % cells, axis)
    return first + (second - first) * t


def fractal_noise(dice: Dice, size: tuple[int, int], cells: tuple[int, int], octaves: int) -> Array:
    """Value noise (H, W) about 0, mostly in [-0.5, 0.5], that continues at the opposite borders.

    Args:
        dice: gives the lattices.
        size: (height, width) of the result, pixels.
        cells: (rows, columns) of the first lattice; 1 stays 1.
        octaves: lattices that are added, each twice as fine and half as strong as the one before.
    """
    total = np.zeros(size, np.float32)
    for octave in range(octaves):
        rows, columns = (count if count == 1 else count << octave for count in cells)
        lattice = dice.array(rows, columns) - 0.5
        total += _interpolate(_interpolate(lattice, size[0], 0), size[1], 1) * 0.5**octave
    return total


@cache
def texture(name: str) -> Array:
    """A periodic texture about 0: "grain" is fine, "rough" has detail at every scale."""
    cells, octaves = {"grain": (64, 2), "rough": (8, 5)}[name]
    return fractal_noise(Dice(cells, octaves), (TEXTURE_SIZE, TEXTURE_SIZE), (cells, cells), octaves)


def sample(name: str, x: Array, y: Array) -> Array:
    """The texture's value at the pixel that each position (texture pixels, not negative) lies in."""
    return _pixel(texture(name), x.astype(np.int32), y.astype(np.int32))


def sample_smoothly(name: str, x: Array, y: Array) -> Array:
    """The texture's value at each position, interpolated between four pixels."""
    table = texture(name)
    left, top = x.astype(np.int32), y.astype(np.int32)
    across, down = x - left.astype(np.float32), y - top.astype(np.float32)
    first, second = _pixel(table, left, top), _pixel(table, left, top + 1)
    first = first + (_pixel(table, left + 1, top) - first) * across
    second = second + (_pixel(table, left + 1, top + 1) - second) * across
    return first + (second - first) * down


def _pixel(table: Array, x: NDArray[np.int32], y: NDArray[np.int32]) -> Array:
    mask = TEXTURE_SIZE - 1
    return table.take(((y & mask) << TEXTURE_BITS) | (x & mask))
