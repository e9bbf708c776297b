"""What stands in scenes: trees, houses, cars, and balloons above them."""

import math

import numpy as np

from .canvas import Paint, Shape, Thing
from .classes import BALLOON, CAR, HOUSE, TREE
from .light import Light, Season, mix, rgb
from .noise import Array, Dice, sample
from .shapes import Point, box, disc, ellipse, polygon, smoothstep

WALLS = ("#e6dfd0", "#b5573c", "#d9b67a", "#9b9a96", "#7a5a3c", "#a9b7a0", "#c98f72", "#f0efe9", "#8fa3b8")
ROOFS = ("#9c4a32", "#5a5d63", "#6e4a34", "#b0653f", "#7d7468", "#48604a")
PAINTS = ("#b3261e", "#e9e9e6", "#2c2f36", "#2f5fa8", "#8d9298", "#d9a521", "#3f7a4a", "#a8522a", "#6fa8c9")
CLOTHS = ("#c8322b", "#e9b92f", "#2f62b5", "#3d9a5f", "#efe9dc", "#7a3f94", "#e2703a", "#4aa6b8", "#7c8a4a", "#8e9aa6")


def flat(colour: Array) -> Paint:
    """One colour everywhere."""
    return lambda x, y: colour


def rectangle(left: float, bottom: float, right: float, top: float) -> Shape:
    """The shape of a rectangle."""
    return lambda x, y: box(x, y, left, bottom, right, top)


def corners(*points: Point) -> Shape:
    """The shape of a convex polygon."""
    return lambda x, y: polygon(x, y, points)


def circle(centre: Point, radius: float) -> Shape:
    """The shape of a disc."""
    return lambda x, y: disc(x, y, centre, radius)


def broadleaf(dice: Dice, light: Light, season: Season) -> Thing:
    """A crown of overlapping balls of leaves on a trunk."""
    top = dice.uniform(4, 9)
    wide = top * dice.uniform(0.28, 0.42)
    middle = top * dice.uniform(0.58, 0.68)
    balls = []
    for _ in range(dice.integer(5, 8)):
        radius = wide * dice.uniform(0.38, 0.62)
        x, y = dice.uniform(-1, 1) * (wide - radius), middle + dice.uniform(-1, 1) * (top - middle - radius)
        balls.append(((x, y), radius))
    balls.append(((0.0, middle), wide * 0.7))
    leaf = rgb(dice.choice(season.foliage)) * dice.uniform(0.8, 1.2)
    offset = dice.uniform(100, 5000)
    right, up, toward = light.direction

    def crown(x: Array, y: Array) -> Array:
        distance = disc(x, y, *balls[0])
        for ball in balls[1:]:
            distance = np.minimum(distance, disc(x, y, *ball))
        return distance + 0.9 * sample("grain", x * 9 + offset, y * 9 + offset) * wide * 0.22

    def leaves(x: Array, y: Array) -> Array:
        nearest, facing = np.full(x.shape, np.inf, np.float32), np.zeros(x.shape, np.float32)
        for (cx, cy), radius in balls:
            nx, ny = (x - cx) / radius, (y - cy) / radius
            square = nx * nx + ny * ny
            nz = np.sqrt(np.maximum(1 - square, 0.02))
            closer = square < nearest
            nearest = np.where(closer, square, nearest)
            facing = np.where(closer, nx * right + ny * up + nz * toward, facing)
        clumps = sample("rough", x * 16 + offset, y * 16 + offset) + 0.6 * sample(
            "grain", x * 22 + offset, y * 22 + offset
        )
        colour = leaf * np.clip(1 + 0.9 * clumps, 0.25, 2)
        snow = smoothstep(facing + 0.7 * clumps, 0.35, 0.7) * season.snow * 0.8
        colour = mix(colour, rgb("#e9eef5"), snow)
        return light.on(colour, np.clip(0.35 + 0.65 * facing, 0.05, 1))

    bark = light.on(rgb("#5b4632"), 0.4)
    trunk = rectangle(-0.035 * top, 0, 0.035 * top, middle)
    return Thing(TREE, wide * 1.2, top * 1.1, [(trunk, flat(bark)), (crown, leaves)])


def conifer(dice: Dice, light: Light, season: Season) -> Thing:
    """Tiers of needles, narrower towards the top."""
    top = dice.uniform(5, 11)
    wide = top * dice.uniform(0.16, 0.26)
    tiers = dice.integer(3, 5)
    needle = mix(rgb("#2e4a33"), rgb(dice.choice(season.foliage)), dice.uniform(0, 0.35))
    offset = dice.uniform(100, 5000)
    step = (top * 0.88) / (tiers + 0.6)
    cones = [(top * 0.12 + k * step, wide * (1 - 0.72 * k / tiers)) for k in range(tiers)]

    def crown(x: Array, y: Array) -> Array:
        distance = None
        for bottom, half in cones:
            tip = min(bottom + 1.9 * step, top)
            cone = polygon(x, y, ((-half, bottom), (half, bottom), (0.0, tip)))
            distance = cone if distance is None else np.minimum(distance, cone)
        assert distance is not None
        return distance + 0.5 * sample("grain", x * 10 + offset, y * 6 + offset) * wide * 0.35

    def needles(x: Array, y: Array) -> Array:
        tier = (y - top * 0.12) / step
        tier = tier - np.floor(tier)
        side = x / (wide * np.clip(1.1 - y / top, 0.1, 1)) * light.direction[0]
        clumps = sample("grain", x * 18 + offset, y * 14 + offset)
        colour = needle * np.clip(1 + clumps, 0.3, 2)
        snow = smoothstep(0.9 - tier + clumps, 0.3, 0.6) * season.snow * 0.8
        colour = mix(colour, rgb("#e9eef5"), snow)
        return light.on(colour, np.clip(0.35 + 0.5 * side + 0.3 * (0.5 - tier), 0, 1))

    trunk = rectangle(-0.03 * top, 0, 0.03 * top, top * 0.2)
    return Thing(TREE, wide * 1.15, top * 1.02, [(trunk, flat(light.on(rgb("#4d3b2a"), 0.3))), (crown, needles)])


def bush(dice: Dice, light: Light, season: Season) -> Thing:
    """A low ball of leaves."""
    small = broadleaf(dice, light, season)
    shrink = dice.uniform(1.0, 2.0) / small.top
    sink = small.top * 0.35

    def shrunk(part: Shape) -> Shape:
        return lambda x, y: part(x / shrink, y / shrink + sink) * shrink

    crown, leaves = small.parts[1]
    colours: Paint = lambda x, y: leaves(x / shrink, y / shrink + sink)  # noqa: E731
    return Thing(TREE, small.reach * shrink, (small.top - sink) * shrink, [(shrunk(crown), colours)])


def house(dice: Dice, light: Light, season: Season) -> Thing:
    """A gable seen from the front, with one side and one slope of the roof running back."""
    side = dice.choice((-1, 1))
    half, wall = dice.uniform(2.2, 3.2), dice.uniform(2.6, 5.2)
    gable = half * dice.uniform(0.6, 1.2)
    back, rise = dice.uniform(2, 7), dice.uniform(0.05, 0.3)
    plaster, tile = rgb(dice.choice(WALLS)), rgb(dice.choice(ROOFS))
    tile = mix(tile, rgb("#eef1f5"), season.snow * dice.uniform(0.5, 1))
    bricks = dice.chance(0.5)
    offset = dice.uniform(100, 5000)
    right, up, toward = light.direction

    def surface(colour: Array, facing: float, lines: float) -> Paint:
        def paint(x: Array, y: Array) -> Array:
            shade = 1 + 0.35 * sample("rough", x * 7 + offset, y * 7 + offset)
            course = y / lines - np.floor(y / lines)
            shade = shade * (1 - np.float32(0.22) * (course < 0.3)) if bricks or lines > 0.4 else shade
            ground = 0.7 + 0.3 * smoothstep(y, 0, 0.8)
            return light.on(colour, facing) * (shade * ground)

        return paint

    def mirrored(*points: Point) -> Shape:
        placed = [(side * x, y) for x, y in points]
        return corners(*(placed if side > 0 else placed[::-1]))

    front = mirrored((-half, 0), (half, 0), (half, wall), (0, wall + gable), (-half, wall))
    flank = mirrored((half, 0), (half + back, rise), (half + back, wall + rise), (half, wall))
    over, ridge = 0.25, wall + gable + 0.1
    eaves = wall - over * gable / half - 0.1
    slope = mirrored((half + over, eaves), (half + back + over, eaves + rise), (back + over, ridge + rise), (0, ridge))
    verge = mirrored(
        (-half - over, wall - over),
        (-half - over + 0.3, wall - over - 0.1),
        (0, wall + gable - 0.2),
        (0, wall + gable + 0.15),
    )
    parts: list[tuple[Shape, Paint]] = []
    if dice.chance(0.6):
        chimney = side * (0.35 * half + 0.6 * back)
        parts.append(
            (rectangle(chimney - 0.3, wall, chimney + 0.3, wall + gable + 0.9), surface(plaster * 0.7, 0.4, 0.3))
        )
    parts += [
        (flank, surface(plaster, side * right, 0.3)),
        (slope, surface(tile, 0.6 * up + 0.6 * side * right, 0.5)),
        (front, surface(plaster, toward, 0.3)),
        (verge, flat(light.on(tile, 0.5 * up))),
    ]
    glass = mix(light.on(rgb("#2d3742"), 0.3), light.horizon * 0.6, 0.35)
    lamp = rgb("#ffd27a") * 1.1
    frame = light.on(rgb("#f2efe6"), max(toward, 0))
    floors = 2 if wall > 4 else 1
    for floor in range(floors):
        sill = 0.9 + floor * 2.3
        for centre in (-0.55 * half, 0.55 * half):
            if floor == 0 and centre * side > 0:
                door = rgb(dice.choice(("#5a3b26", "#7b2f2a", "#2f4a5d", "#46603f")))
                parts.append((rectangle(centre - 0.5, 0, centre + 0.5, 2.0), flat(light.on(door, toward))))
                continue
            pane = lamp if dice.chance(light.lamps * 0.7) else glass
            parts.append((rectangle(centre - 0.6, sill - 0.1, centre + 0.6, sill + 1.3), flat(frame)))
            parts.append((rectangle(centre - 0.48, sill, centre + 0.48, sill + 1.18), flat(pane)))
            parts.append((rectangle(centre - 0.05, sill, centre + 0.05, sill + 1.18), flat(frame)))
        for k in range(int(back / 1.9)):
            centre = side * (half + 1.1 + 1.9 * k)
            lifted = sill + rise * (1.1 + 1.9 * k) / back
            pane = lamp if dice.chance(light.lamps * 0.7) else glass
            parts.append((rectangle(centre - 0.35, lifted, centre + 0.35, lifted + 1.1), flat(pane)))
    return Thing(HOUSE, half + back + 0.5, wall + gable + 1.2, parts)


def car(dice: Dice, light: Light) -> Thing:
    """A car from its side or from behind."""
    body = light.on(rgb(dice.choice(PAINTS)) * dice.uniform(0.8, 1.1), max(light.direction[2], 0.15))
    roof = body + light.sun * 0.25 * light.direction[1]
    glass = mix(light.on(rgb("#1f262d"), 0.2), light.horizon, 0.3)
    tyre, rim = light.on(rgb("#1b1b1d"), 0.3), light.on(rgb("#9a9da2"), 0.4)
    shine = 0.3 + 0.7 * light.lamps

    def gradient(x: Array, y: Array) -> Array:
        return mix(body * 0.6, roof, smoothstep(y, 0.2, 1.0))

    if dice.chance(0.7):
        face = dice.choice((-1, 1))
        tall = dice.uniform(1.35, 1.85)
        front, rear = 2.0, dice.uniform(1.7, 2.0)

        def placed(*points: Point) -> Shape:
            turned = [(face * x, y) for x, y in points]
            return corners(*(turned if face > 0 else turned[::-1]))

        parts: list[tuple[Shape, Paint]] = [
            (placed((-rear * 0.9, 0.75), (1.1, 0.75), (0.45, tall), (-rear * 0.62, tall)), flat(roof)),
            (
                placed((-rear * 0.75, 0.85), (-0.25, 0.85), (-0.25, tall - 0.13), (-rear * 0.58, tall - 0.13)),
                flat(glass),
            ),
            (placed((-0.13, 0.85), (0.85, 0.85), (0.35, tall - 0.13), (-0.13, tall - 0.13)), flat(glass)),
            (placed((-rear, 0.25), (front, 0.25), (front + 0.1, 0.55), (front - 0.2, 0.82), (-rear, 0.9)), gradient),
            (circle((face * -1.15, 0.33), 0.36), flat(tyre)),
            (circle((face * 1.2, 0.33), 0.36), flat(tyre)),
            (circle((face * -1.15, 0.33), 0.18), flat(rim)),
            (circle((face * 1.2, 0.33), 0.18), flat(rim)),
            (circle((face * (front - 0.08), 0.62), 0.12), flat(rgb("#fff2c4") * (0.5 + light.lamps))),
            (circle((face * (0.08 - rear), 0.7), 0.1), flat(rgb("#d8231c") * shine)),
        ]
        return Thing(CAR, 2.3, tall + 0.1, parts)
    tall = dice.uniform(1.4, 1.9)
    parts = [
        (rectangle(-0.78, 0, -0.5, 0.5), flat(tyre)),
        (rectangle(0.5, 0, 0.78, 0.5), flat(tyre)),
        (corners((-0.8, 0.8), (0.8, 0.8), (0.6, tall), (-0.6, tall)), flat(roof)),
        (corners((-0.68, 0.9), (0.68, 0.9), (0.53, tall - 0.14), (-0.53, tall - 0.14)), flat(glass)),
        (corners((-0.85, 0.25), (0.85, 0.25), (0.88, 0.85), (-0.88, 0.85)), gradient),
        (rectangle(-0.8, 0.58, -0.5, 0.76), flat(rgb("#d8231c") * shine)),
        (rectangle(0.5, 0.58, 0.8, 0.76), flat(rgb("#d8231c") * shine)),
        (rectangle(-0.25, 0.45, 0.25, 0.6), flat(light.on(rgb("#e8e6da"), 0.5))),
    ]
    return Thing(CAR, 1.0, tall + 0.1, parts)


def balloon(dice: Dice, light: Light) -> Thing:
    """A hot-air balloon in gores of two or three colours."""
    radius = dice.uniform(5.5, 8)
    middle = radius * 1.75
    cloths = [rgb(dice.choice(CLOTHS)) for _ in range(dice.integer(2, 3))]
    gores = dice.choice((5, 6, 8))
    bands = dice.chance(0.35)
    turn = dice.uniform(0, 1)
    right, up, toward = light.direction
    lean = math.sqrt(0.5)
    neck = 0.22 * radius
    cone = corners(
        (-neck, 0.62 * radius),
        (neck, 0.62 * radius),
        (lean * radius, middle - lean * radius),
        (-lean * radius, middle - lean * radius),
    )

    def envelope(x: Array, y: Array) -> Array:
        return np.minimum(disc(x, y, (0.0, middle), radius), cone(x, y))

    def cloth(x: Array, y: Array) -> Array:
        nx, ny = x / radius, (y - middle) / radius
        half = np.where(ny < -lean, np.maximum(lean + (ny + lean) * 0.9, 0.2), np.sqrt(np.maximum(1 - ny * ny, 0.01)))
        around = np.clip(nx / half, -1, 1)
        around = around * (0.7 + 0.3 * around * around)  # gores get narrower towards the sides
        index = np.floor((ny * 2.2 if bands else around * gores / 2) + turn + 100).astype(np.int64)
        colour = np.concatenate(cloths, 2)[:, 0, index % len(cloths)]
        depth = np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0.0))
        facing = nx * right + ny * up + depth * max(toward, 0.25)
        glow = light.lamps * np.clip(0.4 - 0.8 * ny, 0, 1) * 0.5
        return light.on(colour, np.clip(0.3 + 0.7 * facing, 0.03, 1)) + colour * rgb("#ffd9a0") * glow

    rope, wicker = light.on(rgb("#4a3f33"), 0.3), light.on(rgb("#8a5f36"), 0.4)
    ropes = corners(
        (-0.12 * radius, 0.2 * radius), (0.12 * radius, 0.2 * radius), (neck, 0.62 * radius), (-neck, 0.62 * radius)
    )
    parts: list[tuple[Shape, Paint]] = [
        (ropes, flat(mix(rope, light.horizon, 0.45))),
        (rectangle(-0.13 * radius, 0, 0.13 * radius, 0.24 * radius), flat(wicker)),
        (envelope, cloth),
    ]
    return Thing(BALLOON, radius, middle + radius, parts, lift=dice.uniform(6, 45))
