"""Cars on the ground and hot-air balloons above it."""

import math

import numpy as np

from .canvas import Paint, Thing
from .classes import BALLOON, CAR
from .light import Light, mix, rgb
from .noise import Array, Dice
from .shapes import Point, Shape, box, disc, polygon, smoothstep, union

PAINTS = ("#b3261e", "#e9e9e6", "#2c2f36", "#2f5fa8", "#8d9298", "#d9a521", "#3f7a4a", "#a8522a", "#6fa8c9")
CLOTHS = ("#c8322b", "#e9b92f", "#2f62b5", "#3d9a5f", "#efe9dc", "#7a3f94", "#e2703a", "#4aa6b8", "#7c8a4a", "#8e9aa6")


def car(dice: Dice, light: Light) -> Thing:
    """A car from its side or from behind."""
    body = light.on(rgb(dice.choice(PAINTS)) * dice.uniform(0.8, 1.1), max(light.direction[2], 0.15))
    roof = body + light.sun * (0.25 * light.direction[1])
    glass = mix(light.on(rgb("#1f262d"), 0.2), light.horizon, 0.3)
    tyre, rim = light.on(rgb("#1b1b1d"), 0.3), light.on(rgb("#9a9da2"), 0.4)
    head, tail = rgb("#fff2c4") * (0.5 + light.lamps), rgb("#d8231c") * (0.3 + 0.7 * light.lamps)
    plate = light.on(rgb("#e8e6da"), 0.5)
    tall = dice.uniform(1.35, 1.85)
    if dice.chance(0.7):
        face, rear = dice.choice((-1, 1)), dice.uniform(1.7, 2.0)

        def turned(*corners: Point) -> Shape:
            return polygon(*((face * x, y) for x, y in corners))

        parts: list[tuple[Shape, Array | None]] = [
            (turned((-0.9 * rear, 0.75), (1.1, 0.75), (0.45, tall), (-0.62 * rear, tall)), roof),
            (turned((-0.75 * rear, 0.85), (-0.25, 0.85), (-0.25, tall - 0.13), (-0.58 * rear, tall - 0.13)), glass),
            (turned((-0.13, 0.85), (0.85, 0.85), (0.35, tall - 0.13), (-0.13, tall - 0.13)), glass),
            (turned((-rear, 0.25), (2.0, 0.25), (2.1, 0.55), (1.8, 0.82), (-rear, 0.9)), None),
            *(
                (disc((face * x, 0.33), radius), colour)
                for radius, colour in ((0.36, tyre), (0.18, rim))
                for x in (-1.15, 1.2)
            ),
            (disc((face * 1.92, 0.62), 0.12), head),
            (disc((face * (0.08 - rear), 0.7), 0.1), tail),
        ]
        reach = 2.3
    else:
        parts = [
            *((box(x - 0.14, 0, x + 0.14, 0.5), tyre) for x in (-0.64, 0.64)),
            (polygon((-0.8, 0.8), (0.8, 0.8), (0.6, tall), (-0.6, tall)), roof),
            (polygon((-0.68, 0.9), (0.68, 0.9), (0.53, tall - 0.14), (-0.53, tall - 0.14)), glass),
            (polygon((-0.85, 0.25), (0.85, 0.25), (0.88, 0.85), (-0.88, 0.85)), None),
            *((box(x - 0.15, 0.58, x + 0.15, 0.76), tail) for x in (-0.65, 0.65)),
            (box(-0.25, 0.45, 0.25, 0.6), plate),
        ]
        reach = 1.0

    def painted(colour: Array | None) -> Paint:  # None is the body: lighter where it faces the sky
        if colour is None:
            return lambda x, y: mix(body * 0.6, roof, smoothstep(y, 0.2, 1.0))
        return lambda x, y: colour

    return Thing(CAR, reach, tall + 0.1, [(shape, painted(colour)) for shape, colour in parts])


def balloon(dice: Dice, light: Light) -> Thing:
    """A balloon in gores or bands of two or three colours, glowing from inside in the dark."""
    radius = dice.uniform(5.5, 8)
    middle, neck, lean = 1.75 * radius, 0.22 * radius, math.sqrt(0.5)
    cloths = np.concatenate([rgb(dice.choice(CLOTHS)) for _ in range(dice.integer(2, 3))], 2)[:, 0]  # (3, colours)
    gores, bands, turn = dice.choice((5, 6, 8)), dice.chance(0.35), dice.uniform(0, 1)
    right, up, toward = light.direction
    shoulder = lean * radius
    skirt = polygon(
        (-neck, 0.62 * radius), (neck, 0.62 * radius), (shoulder, middle - shoulder), (-shoulder, middle - shoulder)
    )

    def cloth(x: Array, y: Array) -> Array:
        nx, ny = x / radius, (y - middle) / radius
        half = np.sqrt(np.maximum(1 - ny * ny, 0.01))
        half = np.where(ny < -lean, np.maximum(lean + 0.9 * (ny + lean), 0.2), half)
        around = np.clip(nx / half, -1, 1)
        around = around * (0.7 + 0.3 * around * around)  # gores look narrower towards the sides
        index = np.floor((ny * 2.2 if bands else around * gores / 2) + (turn + 100)).astype(np.int32)
        colour = cloths[:, index % cloths.shape[1]]
        nz = np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0))
        facing = nx * right + ny * up + nz * max(toward, 0.25)
        glow = light.lamps * 0.5 * np.clip(0.4 - 0.8 * ny, 0, 1)
        return light.on(colour, np.clip(0.3 + 0.7 * facing, 0.03, 1)) + colour * rgb("#ffd9a0") * glow

    rope, wicker = mix(light.on(rgb("#4a3f33"), 0.3), light.horizon, 0.45), light.on(rgb("#8a5f36"), 0.4)
    ropes = polygon(
        (-0.12 * radius, 0.2 * radius), (0.12 * radius, 0.2 * radius), (neck, 0.62 * radius), (-neck, 0.62 * radius)
    )
    parts: list[tuple[Shape, Paint]] = [
        (ropes, lambda x, y: rope),
        (box(-0.13 * radius, 0, 0.13 * radius, 0.24 * radius), lambda x, y: wicker),
        (union([disc((0.0, middle), radius), skirt]), cloth),
    ]
    return Thing(BALLOON, radius, middle + radius, parts, lift=dice.uniform(6, 45))
