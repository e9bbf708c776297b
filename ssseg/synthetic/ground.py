"""The ground: meadow, road and water."""

import numpy as np

from .canvas import Canvas
from .classes import MEADOW, ROAD, WATER
from .light import SNOW, Season, mix, rgb
from .noise import Array, Dice, sample, sample_smoothly
from .shapes import smoothstep

CROPS = ("#6e5a3c", "#c2b16a", "#47622c")
BLOSSOMS = ("#f3e04e", "#f2f2ee", "#d9577c", "#8f6fd0")
PAVINGS = {"asphalt": "#6a6c70", "gravel": "#b5a78e", "earth": "#8a6d4a"}
DEEPS = ("#2f5d6e", "#3d6b5c", "#46607d", "#4d5a46")


class Ground:
    """Flat ground under a canvas's camera, and what is painted on it.

    Attributes:
        depth: metres from the camera, (H, 1).
        across: metres right of the middle, (H, W).
        scale: pixels a metre across, (H, 1).
    """

    def __init__(self, canvas: Canvas):
        camera = canvas.camera
        below = np.maximum(canvas.rows - camera.horizon, 0.25)  # pixels
        self.canvas, self.light = canvas, canvas.light
        self.depth = camera.focal * camera.height / below
        self.scale = camera.focal / self.depth
        self.across = (canvas.columns - camera.size[1] / 2) / self.scale
        self.rows_per_metre = self.scale * below / camera.focal  # of depth

    def texture(self, name: str, per_metre: float, offset: float) -> Array:
        """A texture of so many pixels a metre that lies on the ground, (H, W); pale where the picture is coarser."""
        look = sample_smoothly if per_metre < 8 else sample
        fine_enough = np.clip(self.scale / per_metre * 0.5, 0.25, 1)
        return look(name, self.across * per_metre + (offset + 20000), self.depth * per_metre + offset) * fine_enough

    def paint_meadow(self, dice: Dice, season: Season) -> None:
        """Grass in patches, crop rows, flowers, snow, and shadows of clouds."""
        canvas, light = self.canvas, self.light
        offset = dice.uniform(0, 5000)
        patches = self.texture("rough", dice.uniform(0.8, 2.5), offset)
        grass = rgb(dice.choice(season.grass)), rgb(dice.choice(season.grass))
        colour = mix(*grass, smoothstep(patches, -0.15, 0.15))
        if dice.chance(0.4):  # rows that meet at the horizon
            row = (self.across + dice.uniform(-0.3, 0.3) * self.depth) / dice.uniform(0.9, 1.8) + 500
            ridge = np.abs(row - np.floor(row) - 0.5) * 2
            crops = smoothstep(ridge, 0.3, 0.7) * smoothstep(patches, -0.1, 0.05) * np.clip(self.scale / 8, 0, 1)
            colour = mix(colour, rgb(dice.choice(CROPS)), crops * 0.7)
        blades = self.texture("grain", 14, offset)
        colour = colour * (1 + 0.7 * blades + 0.45 * self.texture("rough", 6, offset))
        if season.flowers:
            where = self.texture("rough", 1.5, offset + 9) > 0.12 - 0.2 * season.flowers
            bloom = where & (self.texture("grain", 20, offset + 77) > 0.3)
            colour = mix(colour, rgb(dice.choice(BLOSSOMS)), bloom * np.float32(0.8))
        if season.snow:
            lying = smoothstep(self.texture("rough", 3, offset + 31) + 0.35 * blades, -0.5, -0.25)
            colour = mix(colour, SNOW, lying * season.snow)
        shade = smoothstep(self.texture("rough", 0.35, offset + 500), -0.1, 0.1) * 0.35
        lit = light.on(colour, (1 - shade) * light.direction[1])
        coverage = np.clip(canvas.rows - canvas.camera.horizon + 0.5, 0, 1) + 0 * self.across
        canvas.paint(coverage, light.through_air(lit, self.depth))
        canvas.mark(coverage, MEADOW)

    def paint_road(self, dice: Dice, season: Season) -> None:
        """A road into the distance or across, of asphalt, gravel or earth."""
        canvas, light = self.canvas, self.light
        half = dice.uniform(2.2, 3.4)  # metres
        if dice.chance(0.65):
            bend, slant = dice.uniform(-0.002, 0.002), dice.uniform(-0.25, 0.25)
            off = self.across - dice.uniform(-6, 6) - self.depth * (slant + bend * self.depth)
            along, pixels = self.depth, self.scale
        else:
            off = self.depth - dice.uniform(17, 30) - dice.uniform(-0.5, 0.5) * self.across
            along, pixels = self.across, self.rows_per_metre
        kind = dice.choice(("asphalt", "asphalt", "gravel", "earth"))
        offset = dice.uniform(0, 5000)
        grain = 0.5 * self.texture("grain", 12, offset) + 0.4 * self.texture("rough", 3, offset)
        colour = rgb(PAVINGS[kind]) * dice.uniform(0.7, 1.3) * (1 + grain)
        if kind == "asphalt":
            dashes = (np.abs(off) < 0.09) & (along / 5 - np.floor(along / 5) < 0.55)
            edges = np.abs(np.abs(off) - half * 0.88) < 0.07
            colour = mix(colour, rgb("#e8e4d8"), (dashes | edges) * np.float32(0.8))
            ragged = 0.0
        else:
            between_wheels = 1 - smoothstep(np.abs(off) + 0.4 * grain, 0.15, 0.45)
            colour = mix(colour, rgb(season.grass[0]), between_wheels * 0.7)
            ragged = 0.35
        drifts = smoothstep(grain + np.abs(off) / half * 0.5, 0.0, 0.5)
        colour = mix(colour, SNOW, drifts * (season.snow * 0.45))
        distance = np.abs(off) - half + ragged * grain
        coverage = np.clip(0.5 - distance * pixels, 0, 1) * (canvas.rows > canvas.camera.horizon + 1)
        canvas.paint(coverage, light.through_air(light.on(colour, light.direction[1]), self.depth))
        canvas.mark(coverage, ROAD)

    def lake(self, dice: Dice) -> Array:
        """How much of each pixel a lake covers, (H, W); roads are dams in it."""
        depth = dice.uniform(22, 45)
        across, half_width = dice.uniform(-0.45, 0.45) * depth, depth * dice.uniform(0.3, 0.6)
        x, z = (self.across - across) / half_width, (self.depth - depth) / (depth * dice.uniform(0.3, 0.5))
        value = x * x + z * z + 1.2 * self.texture("rough", dice.uniform(0.6, 1.5), dice.uniform(0, 5000))
        a_pixel = np.maximum(np.abs(value - np.roll(value, 1, 0)), np.abs(value - np.roll(value, 1, 1)))
        dry = (self.canvas.labels == ROAD) | (self.canvas.rows < self.canvas.camera.horizon + 2)
        return np.clip(0.5 + (1 - value) / np.maximum(a_pixel, 0.02), 0, 1) * ~dry

    def paint_water(self, dice: Dice, season: Season, coverage: Array, shore: int) -> None:
        """Water from the row `shore` on, which mirrors what is painted above the horizon so far, broken by ripples."""
        canvas, light = self.canvas, self.light
        height, width = canvas.labels.shape
        offset = dice.uniform(0, 5000)
        fine = sample("grain", canvas.columns * 0.35 + offset, self.depth * 9 + offset)
        ripple = self.texture("rough", 5, offset) + 0.6 * fine
        reach = dice.uniform(0.3, 1) * height / 40  # pixels
        rows = canvas.camera.horizon + shore - canvas.rows - np.abs(ripple) * (2 * reach)
        rows = np.clip(rows, 0, canvas.camera.horizon).astype(np.int32)
        columns = np.clip(canvas.columns + ripple * reach, 0, width - 1).astype(np.int32)
        mirrored = canvas.image[:, rows, columns] * rgb("#d8ecf4")
        grazing = np.clip(1.1 - (canvas.rows - shore) / (0.9 * height), 0.4, 0.82)
        colour = mix(light.on(rgb(dice.choice(DEEPS)), light.direction[1]), mirrored, grazing)
        glitter = smoothstep(ripple, 0.33, 0.5) * (0.3 if light.direction[2] < 0 else 0.1)
        colour = colour + light.sun * glitter
        ice = smoothstep(self.texture("rough", 2, offset + 99), -0.1, 0.05)
        colour = mix(colour, light.on(SNOW, light.direction[1]), ice * (season.snow * 0.15))
        canvas.paint(coverage, colour)
        canvas.mark(coverage, WATER)
