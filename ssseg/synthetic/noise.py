"""Random numbers and fractal noise that are equal on every machine.

Arrays are built from `Generator.random`, integers and + - * / sqrt only: these are exact by IEEE 754, whereas sin, exp,
normal deviates, sums and matrix products may differ in the last bit between processors and libraries.
"""

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
T = TypeVar("T")

TEXTURE_SIZE = 256  # pixels; a power of two, so that coordinates wrap with a mask


class Dice:
    """Draws of one scene.

    Args:
        key: what the scene depends on, such as (seed, split, index).
    """

    def __init__(self, *key: int):
        self.generator = np.random.Generator(np.random.PCG64(key))

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high); not `Generator.uniform`, whose compiled code may fuse the product and the sum."""
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
        """Numbers in [0, 1), float32."""
        return self.generator.random(shape, dtype=np.float32)


def _between(lattice: Array, count: int, axis: int) -> Array:
    """Interpolate a periodic lattice to `count` points along an axis, smoothly."""
    cells = lattice.shape[axis]
    position = np.arange(count, dtype=np.float32) * (cells / count)
    left = position.astype(np.int64)
    t = position - left
    t = t * t * (3 - 2 * t)
    t = t[:, None] if axis == 0 else t
    first, second = lattice.take(left, axis), lattice.take((left + 1) % cells, axis)
    return first + (second - first) * t


def smooth_noise(dice: Dice, size: tuple[int, int], cells: tuple[int, int]) -> Array:
    """Value noise (H, W) in [0, 1]: a random lattice of `cells`, smoothly interpolated; it repeats at the borders."""
    return _between(_between(dice.array(*cells), size[0], 0), size[1], 1)


def fractal_noise(dice: Dice, size: tuple[int, int], cells: tuple[int, int], octaves: int = 4) -> Array:
    """Sum of `octaves` of value noise, each twice as fine and half as strong, about 0, mostly in [-0.5, 0.5]."""
    total = np.zeros(size, np.float32)
    strength = 1.0
    for octave in range(octaves):
        finer = (cells[0] if cells[0] == 1 else cells[0] << octave, cells[1] << octave)
        total += strength * (smooth_noise(dice, size, finer) - 0.5)
        strength /= 2
    return total


@cache
def texture(name: str) -> Array:
    """A periodic texture about 0 for lookups by `sample`: "grain" is fine, "rough" has detail at every scale."""
    cells, octaves = {"grain": (64, 2), "rough": (8, 5)}[name]
    return fractal_noise(Dice(20240731, cells), (TEXTURE_SIZE, TEXTURE_SIZE), (cells, cells), octaves)


def sample(name: str, x: Array, y: Array) -> Array:
    """The texture's value at the nearest pixel to each position (texture pixels, not negative)."""
    mask = TEXTURE_SIZE - 1
    return texture(name)[y.astype(np.int64) & mask, x.astype(np.int64) & mask]


def sample_smoothly(name: str, x: Array, y: Array) -> Array:
    """The same, interpolated between four pixels."""
    table, mask = texture(name), TEXTURE_SIZE - 1
    left, top = x.astype(np.int64), y.astype(np.int64)
    right_share, low_share = (x - left).astype(np.float32), (y - top).astype(np.float32)
    left, top = left & mask, top & mask
    right, low = (left + 1) & mask, (top + 1) & mask
    first, second = table[top, left], table[low, left]
    first = first + (table[top, right] - first) * right_share
    second = second + (table[low, right] - second) * right_share
    return first + (second - first) * low_share
