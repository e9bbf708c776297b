"""The classes of the embedded data set: names and colours in the order of their ids."""

SKY, MOUNTAIN, MEADOW, ROAD, WATER, HOUSE, TREE, CAR, BALLOON = range(9)
VOID = 255  # borders: pixels that two things share

CLASSES = {
    "sky": (135, 190, 235),
    "mountain": (140, 120, 170),
    "meadow": (170, 205, 95),
    "road": (120, 120, 125),
    "water": (45, 110, 190),
    "house": (205, 100, 70),
    "tree": (40, 120, 60),
    "car": (240, 190, 40),
    "balloon": (215, 60, 130),
}
