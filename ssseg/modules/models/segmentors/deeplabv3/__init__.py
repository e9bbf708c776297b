"""Atrous spatial pyramid pooling."""

from .aspp import ASPP
