"""What scenes stand on and before: sky, mountains, meadow, road, water."""

import numpy as np

from .canvas import Canvas
from .classes import MEADOW, MOUNTAIN, ROAD, SKY, WATER
from .light import Season, mix, rgb
from .noise import Array, Dice, fractal_noise, sample, sample_smoothly
from .shapes import disc, smoothstep


def paint_sky(canvas: Canvas, dice: Dice) -> None:
    """A gradient with the sun or the moon, stars at night, and clouds that are lit from the sun's side."""
    light, camera = canvas.light, canvas.camera
    height, width = camera.size
    up = 1 - np.clip(canvas.rows / camera.horizon, 0, 1)  # (H, 1), 1 at the top
    colour = mix(light.horizon, light.zenith, smoothstep(up, 0, dice.uniform(0.8, 1.3)))  # (3, H, 1)
    right, high, toward = light.direction
    if toward < 0.25:
        centre = (width * (0.5 + 0.45 * right), camera.horizon * (1 - 0.8 * high))
        distance = disc(canvas.columns, canvas.rows, centre, 0.028 * height) / height
        glow = np.clip(0.02 / (np.maximum(distance, 0) + 0.02), 0, 1)
        colour = colour + light.sun * glow * 0.6
        colour = mix(colour, light.sun + 0.3, np.clip(0.5 - distance * height, 0, 1))
    if light.lamps > 0.8:
        colour = colour + ((dice.array(height, width) > 0.995) * dice.array(height, width)) * 0.5
    noise = fractal_noise(dice, (height, width), (dice.integer(3, 7), dice.integer(2, 4)), 5)
    cover = dice.uniform(-0.2, 0.45)
    clouds = smoothstep(noise, cover, cover + 0.35)
    shift = max(height // 40, 1)
    relief = noise - np.roll(noise, (shift, -shift if right > 0 else shift), (0, 1))
    lit = light.ambient * 0.8 + light.sun * np.clip(0.55 + 2.5 * relief, 0.1, 1.1)
    colour = mix(colour, mix(lit, light.horizon, 0.35), (clouds * dice.uniform(0.5, 0.95)))
    canvas.paint(np.ones((height, width), np.float32), colour)
    canvas.labels[:] = SKY


def paint_mountains(canvas: Canvas, dice: Dice, season: Season) -> None:
    """One to three ridges, the farther the paler, with rock, woods, and snow on the highest parts."""
    light, camera = canvas.light, canvas.camera
    height, width = camera.size
    ridges = dice.integer(1, 3)
    tall = dice.uniform(0.25, 0.42) * height
    for ridge in range(ridges):
        near = (ridge + 1) / ridges
        profile = fractal_noise(dice, (1, width), (1, dice.integer(2, 3) + ridge), 6) + 0.45
        crest = camera.horizon - tall * (1.15 - 0.75 * near) * np.maximum(profile, 0.02) - (1 - near) * 0.04 * height
        below = canvas.rows - crest  # (H, W), pixels under the crest
        offset = dice.uniform(1000, 2000)
        x, y = canvas.columns * (160 / height) + offset, below * (110 / height) + offset
        rough = sample("rough", x + 0.5 * y, y)
        slope = rough - sample("rough", x + 0.5 * y + (3 if light.direction[0] > 0 else -3), y)
        rock = mix(
            rgb(dice.choice(("#7d746a", "#6b6a70", "#8a7560", "#5f6657"))), rgb("#a59a8c"), np.clip(rough + 0.5, 0, 1)
        )
        woods = rgb(dice.choice(season.foliage)) * (0.55 + 0.5 * rough)
        line = dice.uniform(0.03, 0.35) * height
        colour = mix(rock, woods, smoothstep(below + 0.2 * height * rough, line, line + 0.08 * height))
        depth_of_snow = (dice.uniform(-0.05, 0.12) + 0.2 * season.snow) * height
        snow = 1 - smoothstep(below + 0.25 * height * rough, depth_of_snow, depth_of_snow + 3)
        colour = mix(colour, rgb("#eef2f7"), snow)
        lit = light.on(colour, np.clip(0.55 + 1.6 * slope, 0, 1.2))
        metres = light.visibility * dice.uniform(0.5, 0.8) * (1.35 - near)
        coverage = np.clip(below + 0.5, 0, 1) * (canvas.rows < camera.horizon + 1)
        canvas.paint(coverage, light.through_air(lit, metres))
        canvas.mark(coverage, MOUNTAIN)


class Ground:
    """The flat ground: where each of its pixels lies, and what is road or water there."""

    def __init__(self, canvas: Canvas):
        camera = canvas.camera
        self.canvas = canvas
        self.below = np.maximum(canvas.rows - camera.horizon, 0.25)  # (H, 1), pixels
        self.depth = camera.focal * camera.height / self.below  # (H, 1), metres away
        self.scale = camera.focal / self.depth  # (H, 1), pixels a metre
        self.across = (canvas.columns - camera.size[1] / 2) / self.scale  # (H, W), metres right of the middle
        self.flatness = self.scale * self.below / camera.focal  # (H, 1), rows a metre of depth

    def noise(self, name: str, per_metre: float, offset: float) -> Array:
        """The texture, lying on the ground; where it gets finer than pixels it is left out."""
        x = self.across * per_metre + (offset + 20000)
        y = self.depth * per_metre + offset
        look = sample_smoothly if per_metre < 8 else sample
        return look(name, x, y) * np.clip(self.scale / per_metre * 0.5, 0.25, 1)

    def paint_meadow(self, dice: Dice, season: Season) -> None:
        """Grass in patches, crop rows, flowers, snow, and shadows of clouds."""
        canvas, light = self.canvas, self.canvas.light
        offset = dice.uniform(0, 5000)
        patches = self.noise("rough", dice.uniform(0.8, 2.5), offset)
        colour = mix(rgb(dice.choice(season.grass)), rgb(dice.choice(season.grass)), smoothstep(patches, -0.15, 0.15))
        if dice.chance(0.4):  # ploughed or mown in rows that meet at the horizon
            row = (self.across + dice.uniform(-0.3, 0.3) * self.depth) / dice.uniform(0.9, 1.8) + 500
            row = np.abs(row - np.floor(row) - 0.5) * 2
            fine = np.clip(self.scale / 8, 0, 1)
            rows = smoothstep(row, 0.3, 0.7) * fine * smoothstep(patches, -0.1, 0.05)
            colour = mix(colour, rgb(dice.choice(("#6e5a3c", "#c2b16a", "#47622c"))), rows * 0.7)
        blades = self.noise("grain", 14, offset)
        colour = colour * (1 + 0.7 * blades + 0.45 * self.noise("rough", 6, offset))
        if season.flowers:
            bloom = (self.noise("grain", 20, offset + 77) > 0.3) & (
                self.noise("rough", 1.5, offset + 9) > 0.12 - 0.2 * season.flowers
            )
            colour = mix(
                colour, rgb(dice.choice(("#f3e04e", "#f2f2ee", "#d9577c", "#8f6fd0"))), bloom * np.float32(0.8)
            )
        if season.snow:
            lying = smoothstep(self.noise("rough", 3, offset + 31) + 0.35 * blades, -0.3, -0.05) * season.snow
            colour = mix(colour, rgb("#e9eef5"), lying)
        shade = smoothstep(self.noise("rough", 0.35, offset + 500), -0.1, 0.1) * 0.35
        lit = light.on(colour, (1 - shade) * light.direction[1])
        coverage = np.clip(canvas.rows - canvas.camera.horizon + 0.5, 0, 1) + 0 * self.across
        canvas.paint(coverage, light.through_air(lit, self.depth))
        canvas.mark(coverage, MEADOW)

    def paint_road(self, dice: Dice, season: Season) -> None:
        """A road into the distance or across, of asphalt, gravel or earth."""
        canvas, light = self.canvas, self.canvas.light
        half = dice.uniform(2.2, 3.4)
        if dice.chance(0.65):
            bend = dice.uniform(-0.006, 0.006)
            along = self.depth + 0 * self.across
            off = (
                self.across
                - dice.uniform(-6, 6)
                - dice.uniform(-0.25, 0.25) * self.depth
                - bend * self.depth * self.depth / 3
            )
            pixels = self.scale
        else:
            along = self.across
            off = self.depth - dice.uniform(17, 30) - dice.uniform(-0.5, 0.5) * self.across
            pixels = self.flatness
        kind = dice.choice(("asphalt", "asphalt", "gravel", "earth"))
        base = {"asphalt": "#6a6c70", "gravel": "#b5a78e", "earth": "#8a6d4a"}[kind]
        offset = dice.uniform(0, 5000)
        grain = self.noise("grain", 12, offset) * 0.5 + self.noise("rough", 3, offset) * 0.4
        colour = rgb(base) * dice.uniform(0.7, 1.3) * (1 + grain)
        if kind == "asphalt":
            dashes = (np.abs(off) < 0.09) & (along / 5 - np.floor(along / 5) < 0.55)
            edges = np.abs(np.abs(off) - half * 0.88) < 0.07
            colour = mix(colour, rgb("#e8e4d8"), (dashes | edges) * np.float32(0.8))
        else:  # a strip of grass between the wheel tracks
            strip = (1 - smoothstep(np.abs(off) + 0.4 * grain, 0.15, 0.45)) * 0.7
            colour = mix(colour, rgb(season.grass[0]), strip)
        colour = mix(
            colour, rgb("#e3e8ee"), (smoothstep(grain + np.abs(off) / half * 0.5, 0.0, 0.5) * season.snow * 0.7)
        )
        ragged = 0.0 if kind == "asphalt" else 0.35
        distance = np.abs(off) - half + ragged * grain
        coverage = np.clip(0.5 - distance * pixels, 0, 1) * (canvas.rows > canvas.camera.horizon + 1)
        lit = light.on(colour, light.direction[1])
        canvas.paint(coverage, light.through_air(lit, self.depth))
        canvas.mark(coverage, ROAD)

    def lake(self, dice: Dice) -> Array:
        """How much of each pixel a lake covers; the road keeps dry."""
        depth = dice.uniform(22, 45)
        reach = depth * dice.uniform(0.3, 0.6)
        across = dice.uniform(-0.45, 0.45) * depth
        x, z = (self.across - across) / reach, (self.depth - depth) / (depth * dice.uniform(0.3, 0.5))
        value = x * x + z * z + 1.2 * self.noise("rough", dice.uniform(0.6, 1.5), dice.uniform(0, 5000))
        steep = np.maximum(np.abs(value - np.roll(value, 1, 0)), np.abs(value - np.roll(value, 1, 1)))
        dry = (self.canvas.labels == ROAD) | (self.canvas.rows < self.canvas.camera.horizon + 2)
        return np.clip(0.5 + (1 - value) / np.maximum(steep, 0.02), 0, 1) * ~dry

    def paint_water(self, dice: Dice, coverage: Array, season: Season) -> None:
        """Water that mirrors what is painted so far above the horizon, broken by ripples."""
        canvas, light = self.canvas, self.canvas.light
        height, width = canvas.labels.shape
        shore = int(np.argmax((coverage > 0.5).any(1)))
        offset = dice.uniform(0, 5000)
        ripple = self.noise("rough", 5, offset) + 0.6 * sample(
            "grain", canvas.columns * 0.35 + offset, self.depth * 9 + offset
        )
        rough = dice.uniform(0.3, 1) * height / 40
        rows = canvas.camera.horizon + shore - canvas.rows - np.abs(ripple) * rough * 2
        columns = canvas.columns + ripple * rough
        mirrored = canvas.image[
            :, np.clip(rows, 0, canvas.camera.horizon).astype(np.int64), np.clip(columns, 0, width - 1).astype(np.int64)
        ]
        deep = rgb(dice.choice(("#2f5d6e", "#3d6b5c", "#46607d", "#4d5a46")))
        grazing = np.clip(1.1 - (canvas.rows - shore) / (0.9 * height), 0.45, 0.9)
        colour = mix(light.on(deep, light.direction[1]), mirrored * 0.92, grazing)
        glitter = smoothstep(ripple, 0.33, 0.5) * (0.5 if light.direction[2] < 0 else 0.15)
        colour = colour + light.sun * glitter * 0.6
        ice = smoothstep(self.noise("rough", 2, offset + 99), -0.1, 0.05) * season.snow * 0.5
        colour = mix(colour, light.on(rgb("#dde7ee"), light.direction[1]), ice)
        canvas.paint(coverage, colour)
        canvas.mark(coverage, WATER)
