"""Global context."""

from .gcnet import GCNet
