"""Atrous spatial pyramid pooling."""

from .aspp import ASPP
from .deeplabv3 import Deeplabv3
