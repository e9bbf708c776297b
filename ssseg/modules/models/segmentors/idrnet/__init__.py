"""Relations between classes, found by intervention."""

from .idrnet import IDRNet
