"""The embedded data set: drawn scenes with lights, seasons, textures, shadows, reflections and things before things.

`write_dataset` writes it as a plain folder. What a class looks like overlaps with the others by design: water mirrors
sky, mountains and balloons; snow lies on all; walls, cars and cloths share their colours.
"""

from .classes import CLASSES, VOID
from .dataset import write_dataset
from .scene import draw_scene

__all__ = ["CLASSES", "VOID", "draw_scene", "write_dataset"]
