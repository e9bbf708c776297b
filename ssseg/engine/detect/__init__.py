"""Finding out what data a folder or file holds, so that training needs no code and no config for them."""

from .layout import Layout
from .layouts import detect

__all__ = ["Layout", "detect"]
