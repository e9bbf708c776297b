"""Houses."""

from dataclasses import dataclass

import numpy as np

from .canvas import Paint, Thing
from .classes import HOUSE
from .light import Light, Season, mix, rgb
from .noise import Array, Dice, sample
from .shapes import Point, Shape, box, polygon, smoothstep

WALLS = ("#e6dfd0", "#b5573c", "#d9b67a", "#9b9a96", "#7a5a3c", "#a9b7a0", "#c98f72", "#f0efe9", "#8fa3b8")
ROOFS = ("#9c4a32", "#5a5d63", "#6e4a34", "#b0653f", "#7d7468", "#48604a")
DOORS = ("#5a3b26", "#7b2f2a", "#2f4a5d", "#46603f")


@dataclass(frozen=True)
class Frame:
    """Measures in metres of a house seen from its gable; a flank runs back to the right (side 1) or left (-1)."""

    side: int
    half: float  # width of the gable
    wall: float  # height up to the eaves
    gable: float  # height of the gable above that
    back: float  # how far the flank runs, and
    rise: float  # how much higher it ends

    def polygon(self, *corners: Point) -> Shape:
        """A polygon that is given for side 1."""
        return polygon(*((self.side * x, y) for x, y in corners))


def house(dice: Dice, light: Light, season: Season) -> Thing:
    """A gable, one flank, one slope of the roof; windows, of which some are lit in the dark."""
    half, wall = dice.uniform(2.2, 3.2), dice.uniform(2.6, 5.2)
    frame = Frame(
        side=dice.choice((-1, 1)),
        half=half,
        wall=wall,
        gable=half * dice.uniform(0.6, 1.2),
        back=dice.uniform(2, 7),
        rise=dice.uniform(0.05, 0.3),
    )
    plaster, tiles = rgb(dice.choice(WALLS)), rgb(dice.choice(ROOFS))
    tiles = mix(tiles, rgb("#eef1f5"), season.snow * dice.uniform(0.5, 1))
    course = 0.3 if dice.chance(0.5) else 0.0
    offset = dice.uniform(100, 5000)
    right, up, toward = light.direction

    def surface(colour: Array, facing: float, lines: float) -> Paint:
        def paint(x: Array, y: Array) -> Array:
            shade = 1 + 0.35 * sample("rough", x * 7 + offset, y * 7 + offset)
            if lines:  # bricks, planks or tiles
                shade = shade * (1 - np.float32(0.22) * (y / lines - np.floor(y / lines) < 0.3))
            return light.on(colour, facing) * (shade * (0.7 + 0.3 * smoothstep(y, 0, 0.8)))

        return paint

    over, back, rise, ridge = 0.25, frame.back, frame.rise, frame.wall + frame.gable
    eaves = wall - over * frame.gable / half - 0.1
    flank = frame.polygon((half, 0), (half + back, rise), (half + back, wall + rise), (half, wall))
    slope = frame.polygon(
        (half + over, eaves), (half + back + over, eaves + rise), (back + over, ridge + rise + 0.1), (0, ridge + 0.1)
    )
    front = polygon((-half, 0), (half, 0), (half, wall), (0, ridge), (-half, wall))
    verge = frame.polygon((-half - over, eaves), (-half - over + 0.3, eaves - 0.1), (0, ridge - 0.2), (0, ridge + 0.15))
    edge = light.on(tiles, 0.5 * up)
    parts: list[tuple[Shape, Paint]] = []
    if dice.chance(0.6):
        chimney = frame.side * (0.35 * half + 0.6 * back)
        parts.append((box(chimney - 0.3, wall, chimney + 0.3, ridge + 0.9), surface(plaster * 0.7, 0.4, 0.3)))
    parts += [
        (flank, surface(plaster, frame.side * right, course)),
        (slope, surface(tiles, 0.6 * up + 0.6 * frame.side * right, 0.5)),
        (front, surface(plaster, toward, course)),
        (verge, lambda x, y: edge),
        *_openings(dice, light, frame),
    ]
    return Thing(HOUSE, half + back + 0.5, ridge + 1.2, parts)


def _openings(dice: Dice, light: Light, frame: Frame) -> list[tuple[Shape, Paint]]:
    """Windows on one or two floors, and a door."""
    glass = mix(light.on(rgb("#2d3742"), 0.3), light.horizon * 0.6, 0.35)
    lamp, wood = rgb("#ffd27a") * 1.1, light.on(rgb("#f2efe6"), light.direction[2])
    door = light.on(rgb(dice.choice(DOORS)), light.direction[2])
    parts: list[tuple[Shape, Array]] = []
    for floor in range(2 if frame.wall > 4 else 1):
        sill = 0.9 + 2.3 * floor
        for side in (-1, 1):
            x = 0.55 * frame.half * side
            if floor == 0 and side == frame.side:
                parts.append((box(x - 0.5, 0, x + 0.5, 2), door))
            else:
                pane = lamp if dice.chance(0.7 * light.lamps) else glass
                parts.append((box(x - 0.6, sill - 0.1, x + 0.6, sill + 1.3), wood))
                parts.append((box(x - 0.48, sill, x - 0.05, sill + 1.18), pane))
                parts.append((box(x + 0.05, sill, x + 0.48, sill + 1.18), pane))
        for number in range(int(frame.back / 1.9)):
            run = 1.1 + 1.9 * number
            x, low = frame.side * (frame.half + run), sill + frame.rise * run / frame.back
            pane = lamp if dice.chance(0.7 * light.lamps) else glass
            parts.append((box(x - 0.35, low, x + 0.35, low + 1.1), pane))
    return [(shape, _plain(colour)) for shape, colour in parts]


def _plain(colour: Array) -> Paint:
    return lambda x, y: colour
