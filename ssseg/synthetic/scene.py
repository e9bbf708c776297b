"""One scene: a landscape under a light, with things in it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .backdrop import paint_mountains, paint_sky
from .canvas import Camera, Canvas, Thing
from .classes import MEADOW, ROAD, WATER
from .ground import Ground
from .house import house
from .light import SEASONS, Light, Season, draw_light
from .noise import Dice
from .plants import broadleaf, bush, conifer
from .vehicles import balloon, car

Labels = NDArray[np.uint8]
Placed = tuple[float, float, Thing]  # metres away, metres right of the middle


def draw_scene(key: tuple[int, ...], size: tuple[int, int]) -> tuple[NDArray[np.uint8], Labels]:
    """Draw the scene of a key.

    Args:
        key: such as (seed, set, number); equal keys give equal arrays on every machine.
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
    plan, shore = canvas.labels.copy(), height
    if dice.chance(0.7):
        lake = ground.lake(dice)
        plan[lake > 0.15] = WATER
        shore = int((lake > 0.15).any(1).argmax()) or height
    waiting = sorted(_things(dice, camera, light, season, plan), key=lambda placed: placed[:2])
    while waiting and camera.foot(0, waiting[-1][0])[1] < shore:  # behind the lake, which mirrors them
        depth, across, thing = waiting.pop()
        canvas.stand(thing, across, depth)
    if shore < height:
        ground.paint_water(dice, season, lake, shore)
    for depth, across, thing in reversed(waiting):
        canvas.stand(thing, across, depth)
    return _expose(dice, canvas), canvas.labels


def _things(dice: Dice, camera: Camera, light: Light, season: Season, plan: Labels) -> Iterator[Placed]:
    """Things and where they stand, as far as there is room for them."""

    def standing(thing: Thing, near: float, far: float, labels: tuple[int, ...]) -> Iterator[Placed]:
        for _ in range(12):
            depth, across = _somewhere(dice, camera, near, far)
            if _is_free(camera, plan, depth, across, 0.8 * thing.reach, labels):
                yield depth, across, thing
                return

    for _ in range(dice.integer(0, 3)):
        yield from standing(house(dice, light, season), 24, 90, (MEADOW,))
    for _ in range(dice.integer(0, 4)):
        yield from standing(car(dice, light), 13, 40, (ROAD,) if dice.chance(0.7) else (MEADOW, ROAD))
    for _ in range(dice.integer(1, 5)):  # groves
        plant = dice.choice((broadleaf, conifer, broadleaf, conifer, bush))
        middle, across = _somewhere(dice, camera, 20, 100)
        for _ in range(dice.integer(1, 6)):
            x, depth = across + dice.uniform(-0.25, 0.25) * middle, middle * dice.uniform(0.85, 1.2)
            if _is_free(camera, plan, depth, x, 0.5, (MEADOW,)):
                yield depth, x, plant(dice, light, season)
    for _ in range(dice.integer(0, 3)):
        depth, across = _somewhere(dice, camera, 55, 180)
        yield depth, across, balloon(dice, light)


def _somewhere(dice: Dice, camera: Camera, near: float, far: float) -> tuple[float, float]:
    """Metres away and right of the middle; each row of pixels is as likely, and each column."""
    depth = near * far / dice.uniform(near, far)
    return depth, dice.uniform(-0.55, 0.55) * camera.size[1] / camera.scale(depth)


def _is_free(camera: Camera, plan: Labels, depth: float, across: float, reach: float, labels: tuple[int, ...]) -> bool:
    """Whether the ground has one of the labels at a foot and so many metres to each side."""
    column, row = camera.foot(across, depth)
    height, width = plan.shape
    if not 0 <= row < height:
        return False
    columns = (column + share * reach * camera.scale(depth) for share in (-1, -0.5, 0, 0.5, 1))
    return all(int(plan[int(row), min(max(int(c), 0), width - 1)]) in labels for c in columns)


def _expose(dice: Dice, canvas: Canvas) -> NDArray[np.uint8]:
    """What the camera makes of it: white balance, exposure, vignette, noise, 8 bits; (H, W, 3)."""
    height, width = canvas.labels.shape
    balance = np.array([dice.uniform(0.9, 1.1), 1, dice.uniform(0.9, 1.1)], np.float32).reshape(3, 1, 1)
    x, y = canvas.columns / width - 0.5, canvas.rows / height - 0.5
    lens = dice.uniform(0.75, 1.2) * (1 - dice.uniform(0, 0.5) * (x * x + y * y))
    shown = np.sqrt(np.clip(canvas.image * balance * lens, 0, 1))
    noise = dice.array(3, height, width) + dice.array(3, height, width) - 1
    shown = np.clip(shown + noise * dice.uniform(0.01, 0.05), 0, 1)
    return np.ascontiguousarray(np.rint(shown * 255).astype(np.uint8).transpose(1, 2, 0))
