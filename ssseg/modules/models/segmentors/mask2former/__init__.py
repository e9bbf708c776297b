"""Mask2Former."""

from .mask2former import Mask2Former
