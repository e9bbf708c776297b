"""SETR: convolutional decoders on the maps of a plain vision transformer."""

from .setrmla import SETRMLA
from .setrup import SETRUP
