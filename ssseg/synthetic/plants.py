"""Trees and bushes."""

import numpy as np

from .canvas import Thing
from .classes import TREE
from .light import SNOW, Light, Season, mix, rgb
from .noise import Array, Dice, sample
from .shapes import box, disc, polygon, smoothstep, union


def broadleaf(dice: Dice, light: Light, season: Season) -> Thing:
    """A crown of overlapping balls of leaves on a trunk."""
    top = dice.uniform(4, 9)
    return _crown(dice, light, season, top, middle=top * dice.uniform(0.58, 0.68), wide=top * dice.uniform(0.28, 0.42))


def bush(dice: Dice, light: Light, season: Season) -> Thing:
    """Balls of leaves on the ground."""
    top = dice.uniform(1, 2)
    return _crown(dice, light, season, top, middle=0.45 * top, wide=top * dice.uniform(0.45, 0.75))


def _crown(dice: Dice, light: Light, season: Season, top: float, middle: float, wide: float) -> Thing:
    """Leaves around the height `middle`, up to `wide` metres to each side, each ball lit for itself."""
    balls = [((0.0, middle), wide * 0.7)]
    for _ in range(dice.integer(5, 8)):
        radius = wide * dice.uniform(0.38, 0.62)
        centre = dice.uniform(-1, 1) * (wide - radius), middle + dice.uniform(-1, 1) * (top - middle - radius)
        balls.append((centre, radius))
    leaf = rgb(dice.choice(season.foliage)) * dice.uniform(0.8, 1.2)
    offset = dice.uniform(100, 5000)
    right, up, toward = light.direction
    outline = union([disc(*ball) for ball in balls])

    def crown(x: Array, y: Array) -> Array:
        return outline(x, y) + sample("grain", x * 9 + offset, y * 9 + offset) * (0.2 * wide)

    def leaves(x: Array, y: Array) -> Array:
        nearest: Array = np.full(x.shape, np.inf, np.float32)
        facing: Array = np.zeros(x.shape, np.float32)
        for (ball_x, ball_y), radius in balls:
            nx, ny = (x - ball_x) / radius, (y - ball_y) / radius
            square = nx * nx + ny * ny
            nz = np.sqrt(np.maximum(1 - square, 0.02))
            facing = np.where(square < nearest, nx * right + ny * up + nz * toward, facing)
            nearest = np.minimum(nearest, square)
        clumps = sample("rough", x * 16 + offset, y * 16 + offset)
        clumps = clumps + 0.6 * sample("grain", x * 22 + offset, y * 22 + offset)
        colour = leaf * np.clip(1 + 0.9 * clumps, 0.25, 2)
        colour = mix(colour, SNOW, smoothstep(facing + 0.7 * clumps, 0.35, 0.7) * (season.snow * 0.8))
        return light.on(colour, np.clip(0.35 + 0.65 * facing, 0.05, 1))

    bark = light.on(rgb("#5b4632"), 0.4)
    trunk = box(-0.035 * top, 0, 0.035 * top, middle)
    return Thing(TREE, wide * 1.2, top * 1.1, [(trunk, lambda x, y: bark), (crown, leaves)])


def conifer(dice: Dice, light: Light, season: Season) -> Thing:
    """Tiers of needles, narrower towards the top."""
    top = dice.uniform(5, 11)
    wide, tiers = top * dice.uniform(0.16, 0.26), dice.integer(3, 5)
    needle = mix(rgb("#2e4a33"), rgb(dice.choice(season.foliage)), dice.uniform(0, 0.35))
    offset = dice.uniform(100, 5000)
    foot, step = top * 0.12, top * 0.88 / (tiers + 0.6)
    cones = []
    for tier in range(tiers):
        bottom, half = foot + tier * step, wide * (1 - 0.72 * tier / tiers)
        cones.append(polygon((-half, bottom), (half, bottom), (0.0, min(bottom + 1.9 * step, top))))
    outline = union(cones)

    def crown(x: Array, y: Array) -> Array:
        return outline(x, y) + sample("grain", x * 10 + offset, y * 6 + offset) * (0.18 * wide)

    def needles(x: Array, y: Array) -> Array:
        up_the_tier = (y - foot) / step
        up_the_tier = up_the_tier - np.floor(up_the_tier)
        side = x / (wide * np.clip(1.1 - y / top, 0.1, 1)) * light.direction[0]
        clumps = sample("grain", x * 18 + offset, y * 14 + offset)
        colour = needle * np.clip(1 + clumps, 0.3, 2)
        colour = mix(colour, SNOW, smoothstep(0.9 - up_the_tier + clumps, 0.3, 0.6) * (season.snow * 0.8))
        return light.on(colour, np.clip(0.5 + 0.5 * side - 0.3 * up_the_tier, 0, 1))

    bark = light.on(rgb("#4d3b2a"), 0.3)
    trunk = box(-0.03 * top, 0, 0.03 * top, 0.2 * top)
    return Thing(TREE, wide * 1.15, top * 1.02, [(trunk, lambda x, y: bark), (crown, needles)])
