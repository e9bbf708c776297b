"""Image cascade."""

from .icnet import ICNet
