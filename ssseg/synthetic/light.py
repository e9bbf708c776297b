"""Colours, times of day and seasons. Colours are linear RGB in [0, 1], float32 (3, 1, 1) or (3, H, W)."""

import math
from dataclasses import dataclass

import numpy as np

from .noise import Array, Dice


def rgb(code: str) -> Array:
    """The linear colour of a display colour such as "#6fa8dc"; a gamma of 2 stands for the display's."""
    shown = np.array([int(code[k : k + 2], 16) for k in (1, 3, 5)], np.float32).reshape(3, 1, 1) / 255
    return shown * shown


def mix(first: Array, second: Array, share: Array | float) -> Array:
    """`first` where `share` is 0, `second` where it is 1."""
    return first + (second - first) * share


SNOW = rgb("#e9eef5")


@dataclass(frozen=True)
class Light:
    """What the sky sends down.

    Args:
        zenith, horizon: colours of the sky above and at the horizon; distant things fade into the latter.
        sun, ambient: light that falls along `direction`, and light that falls from everywhere.
        visibility: metres after which half of a thing's own colour is lost to the air.
        lamps: how strongly windows and lamps shine by themselves, in [0, 1].
        direction: towards the sun: right, up, towards the viewer; of length 1.
    """

    zenith: Array
    horizon: Array
    sun: Array
    ambient: Array
    visibility: float
    lamps: float
    direction: tuple[float, float, float]

    def on(self, colour: Array, facing: Array | float) -> Array:
        """The colour of a surface that faces the sun with this cosine; below 0 it lies in its own shadow."""
        return colour * (self.ambient + self.sun * np.maximum(np.asarray(facing, np.float32), 0))

    def through_air(self, colour: Array, metres: Array | float) -> Array:
        """The colour seen through so much air."""
        return mix(colour, self.horizon, metres / (metres + self.visibility))


# zenith, horizon, sun, ambient; visibility, lamps
NOON = ("#3f78c8", "#c3dcec", "#fff3dc", "#8795aa"), (900, 0)
MORNING = ("#6f9fd0", "#f2e3cf", "#ffe2b0", "#8a8fa3"), (420, 0)
DUSK = ("#56588f", "#f5a873", "#ffa05a", "#77708c"), (420, 0.5)
OVERCAST = ("#9aa3ad", "#cfd4d8", "#5a5a5c", "#b9bcc0"), (350, 0.05)
MIST = ("#b4bec6", "#d5d6d4", "#8d8a80", "#a3a7ab"), (150, 0.1)
NIGHT = ("#0e1630", "#34426a", "#5a6a92", "#333c5c"), (500, 1)
TIMES = (NOON,) * 4 + (MORNING,) * 3 + (DUSK,) * 3 + (OVERCAST, MIST, NIGHT)


def draw_light(dice: Dice) -> Light:
    """A time of day with a little of another in it, and a place of the sun."""
    main, other, share = dice.choice(TIMES), dice.choice(TIMES), dice.uniform(0, 0.3)
    zenith, horizon, sun, ambient = (mix(rgb(a), rgb(b), share) for a, b in zip(main[0], other[0], strict=True))
    visibility, lamps = (a + (b - a) * share for a, b in zip(main[1], other[1], strict=True))
    right = dice.uniform(0.35, 1.3) * dice.choice((-1, 1))
    up, toward = dice.uniform(0.55, 1.4), dice.uniform(-0.5, 0.9)
    length = math.sqrt(right * right + up * up + toward * toward)
    direction = (right / length, up / length, toward / length)
    return Light(zenith, horizon, sun, ambient, visibility * dice.uniform(0.7, 1.4), lamps, direction)


@dataclass(frozen=True)
class Season:
    """What grows and what lies on the ground.

    Args:
        grass, foliage: colours to choose from.
        snow: how much of what faces up is white, in [0, 1].
        flowers: share of the meadow in bloom, in [0, 1].
    """

    grass: tuple[str, ...]
    foliage: tuple[str, ...]
    snow: float = 0.0
    flowers: float = 0.0


SPRING = Season(("#6f9a3c", "#86ab4a", "#5c8a3e"), ("#4c7a30", "#6b9440", "#e3b7c4", "#7d9c3a"), flowers=0.5)
SUMMER = Season(
    ("#7f9a45", "#b7a85a", "#6b8d40", "#c9b56a"), ("#3c6a2c", "#4d7733", "#5f7f3b", "#2f5a35"), flowers=0.15
)
AUTUMN = Season(("#a1934f", "#8a8a48", "#b08f4f"), ("#c4702a", "#b8902f", "#9a4a26", "#6d7a33", "#d09a3a"))
WINTER = Season(("#7d8653", "#878a5a"), ("#5d5a48", "#3f5540", "#6e6250"), snow=0.85)
SEASONS = (SPRING, SUMMER, SUMMER, AUTUMN, WINTER)
