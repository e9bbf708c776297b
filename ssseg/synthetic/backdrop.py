"""What is behind everything: the sky and the mountains."""

import numpy as np

from .canvas import Canvas
from .classes import MOUNTAIN, SKY
from .light import Season, mix, rgb
from .noise import Dice, fractal_noise, sample
from .shapes import disc, smoothstep

ROCKS = ("#7d746a", "#6b6a70", "#8a7560", "#5f6657")


def paint_sky(canvas: Canvas, dice: Dice) -> None:
    """A gradient, the sun or the moon where it is before us, stars at night, clouds lit from the sun's side."""
    light, camera = canvas.light, canvas.camera
    height, width = camera.size
    right, high, toward = light.direction
    up = 1 - np.clip(canvas.rows / camera.horizon, 0, 1)  # (H, 1), 1 at the top
    colour = mix(light.horizon, light.zenith, smoothstep(up, 0, dice.uniform(0.8, 1.3)))  # (3, H, 1)
    if toward < 0.25:
        centre = (width * (0.5 + 0.45 * right), camera.horizon * (1 - 0.8 * high))
        away = disc(centre, 0.028 * height)(canvas.columns, canvas.rows)  # (H, W), pixels
        glow = 0.02 * height / (np.maximum(away, 0) + 0.02 * height)
        colour = mix(colour + light.sun * (0.6 * glow), light.sun + 0.3, np.clip(0.5 - away, 0, 1))
    if light.lamps > 0.8:
        stars = dice.array(height, width)
        colour = colour + np.maximum(stars - 0.995, 0) * 100
    noise = fractal_noise(dice, camera.size, (dice.integer(3, 7), dice.integer(2, 4)), 5)
    cover = dice.uniform(-0.2, 0.45)
    shift = max(height // 40, 1)
    relief = noise - np.roll(noise, (shift, -shift if right > 0 else shift), (0, 1))
    clouds = light.ambient * 0.8 + light.sun * np.clip(0.55 + 2.5 * relief, 0.1, 1.1)
    density = smoothstep(noise, cover, cover + 0.35) * dice.uniform(0.5, 0.95)
    canvas.image[:] = mix(colour, mix(clouds, light.horizon, 0.35), density)
    canvas.labels[:] = SKY


def paint_mountains(canvas: Canvas, dice: Dice, season: Season) -> None:
    """One to three ridges, the farther the paler, with rock, woods, and snow on the highest parts."""
    light, camera = canvas.light, canvas.camera
    height, width = camera.size
    ridges, tall = dice.integer(1, 3), dice.uniform(0.25, 0.42) * height
    for ridge in range(ridges):
        near = (ridge + 1) / ridges
        profile = np.maximum(fractal_noise(dice, (1, width), (1, dice.integer(2, 3) + ridge), 6) + 0.45, 0.02)
        crest = camera.horizon - tall * (1.15 - 0.75 * near) * profile - (1 - near) * 0.04 * height  # (1, W)
        below = canvas.rows - crest  # (H, W), pixels under the crest
        offset, fine = dice.uniform(1000, 2000), 160 / height
        x, y = canvas.columns * fine + 0.35 * fine * below + offset, below * (0.7 * fine) + offset
        rough = sample("rough", x, y)
        slope = rough - sample("rough", x + (3 if light.direction[0] > 0 else -3), y)
        rock = mix(rgb(dice.choice(ROCKS)), rgb("#a59a8c"), np.clip(rough + 0.5, 0, 1))
        woods = rgb(dice.choice(season.foliage)) * (0.55 + 0.5 * rough)
        tree_line = dice.uniform(0.03, 0.35) * height
        colour = mix(rock, woods, smoothstep(below + 0.2 * height * rough, tree_line, tree_line + 0.08 * height))
        snow_line = (dice.uniform(-0.05, 0.12) + 0.2 * season.snow) * height
        snow = 1 - smoothstep(below + 0.25 * height * rough, snow_line, snow_line + 0.02 * height)
        colour = light.on(mix(colour, rgb("#eef2f7"), snow), np.clip(0.55 + 1.6 * slope, 0, 1.2))
        metres = light.visibility * dice.uniform(0.5, 0.8) * (1.35 - near)
        coverage = np.clip(below + 0.5, 0, 1) * (canvas.rows < camera.horizon + 1)
        canvas.paint(coverage, light.through_air(colour, metres))
        canvas.mark(coverage, MOUNTAIN)
