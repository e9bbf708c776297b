"""One scene: a landscape under a light, with things in it."""

import numpy as np
from numpy.typing import NDArray

from .canvas import Camera, Canvas, Thing
from .classes import CAR, MEADOW, ROAD, WATER
from .landscape import Ground, paint_mountains, paint_sky
from .light import SEASONS, draw_light
from .noise import Dice, fractal_noise
from .things import balloon, broadleaf, bush, car, conifer, house


def draw_scene(key: tuple[int, ...], size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw the scene of this key.

    Args:
        key: such as (seed, split, index); equal keys give equal arrays on every machine.
        size: (height, width), pixels.

    Returns:
        The picture (H, W, 3), RGB, and its label map (H, W), both uint8.
    """
    dice = Dice(*key)
    height, width = size
    light, season = draw_light(dice), dice.choice(SEASONS)
    camera = Camera(size, dice.uniform(0.36, 0.52) * height, dice.uniform(3.5, 7), dice.uniform(1.0, 1.25) * width)
    canvas = Canvas(camera, light)
    paint_sky(canvas, dice)
    if dice.chance(0.8):
        paint_mountains(canvas, dice, season)
    ground = Ground(canvas)
    ground.paint_meadow(dice, season)
    if dice.chance(0.8):
        ground.paint_road(dice, season)
    lake = ground.lake(dice) if dice.chance(0.7) else np.zeros(size, np.float32)
    plan = canvas.labels.copy()
    plan[lake >= 0.5] = WATER
    shadowed = np.zeros(256, np.bool_)
    shadowed[[MEADOW, ROAD, WATER]] = True

    placed = _place(dice, camera, light, season, plan)
    far_shore = float(ground.depth[np.argmax((lake > 0.5).any(1)), 0]) if (lake > 0.5).any() else 0.0
    wet = False
    for thing, across, depth in sorted(placed, key=lambda item: -item[2]):
        if far_shore and not wet and depth < far_shore:
            ground.paint_water(dice, lake, season)
            wet = True
        canvas.stand(thing, across, depth, shadowed)
    if far_shore and not wet:
        ground.paint_water(dice, lake, season)
    return _expose(dice, canvas), canvas.labels


def _place(dice: Dice, camera: Camera, light, season, plan) -> list[tuple[Thing, float, float]]:
    """Things and where they stand: metres right of the middle, metres away."""
    height, width = camera.size
    placed: list[tuple[Thing, float, float]] = []

    def free(across: float, depth: float, reach: float, labels: tuple[int, ...]) -> bool:
        column, row = camera.foot(across, depth)
        if not 0 <= row < height:
            return False
        half = reach * camera.scale(depth)
        span = [int(np.clip(column + k * half, 0, width - 1)) for k in (-1, -0.5, 0, 0.5, 1)]
        return all(int(plan[int(row), c]) in labels for c in span)

    def somewhere(near: float, far: float) -> tuple[float, float]:
        depth = near * far / dice.uniform(near, far)  # as many in each band of rows
        return dice.uniform(-0.55, 0.55) * width / camera.scale(depth), depth

    def put(thing: Thing, near: float, far: float, labels: tuple[int, ...] = (MEADOW,)) -> None:
        for _ in range(12):
            across, depth = somewhere(near, far)
            if free(across, depth, thing.reach * 0.8, labels):
                placed.append((thing, across, depth))
                return

    for _ in range(dice.integer(0, 3)):
        put(house(dice, light, season), 24, 90)
    for _ in range(dice.integer(0, 4)):
        put(car(dice, light), 13, 40, (ROAD,) if dice.chance(0.7) else (MEADOW, ROAD))
    kinds = (broadleaf, conifer, broadleaf, conifer, bush)
    for _ in range(dice.integer(1, 5)):
        kind = dice.choice(kinds)
        across, depth = somewhere(20, 100)
        for _ in range(dice.integer(1, 6)):
            a, d = across + dice.uniform(-0.25, 0.25) * depth, depth * dice.uniform(0.85, 1.2)
            if free(a, d, 0.5, (MEADOW,)):
                placed.append((kind(dice, light, season), a, d))
    for _ in range(dice.integer(0, 3)):
        depth = 55 * 180 / dice.uniform(55, 180)
        placed.append((balloon(dice, light), dice.uniform(-0.5, 0.5) * width / camera.scale(depth), depth))
    return placed


def _expose(dice: Dice, canvas: Canvas) -> NDArray[np.uint8]:
    """What the camera makes of it: white balance, exposure, vignette, noise, 8 bits."""
    height, width = canvas.labels.shape
    tint = np.array([dice.uniform(0.9, 1.1), 1.0, dice.uniform(0.9, 1.1)], np.float32).reshape(3, 1, 1) * np.float32(
        dice.uniform(0.75, 1.2)
    )
    x, y = canvas.columns / width - 0.5, canvas.rows / height - 0.5
    vignette = 1 - dice.uniform(0, 0.5) * (x * x + y * y)
    shown = np.sqrt(np.clip(canvas.image * tint * vignette, 0, 1))
    strength = dice.uniform(0.01, 0.05)
    noise = dice.array(3, height, width) + dice.array(3, height, width) - 1
    return np.rint(np.clip(shown + noise * strength, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
