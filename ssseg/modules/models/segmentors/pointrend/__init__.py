"""Segmentation as rendering."""

from .pointrend import PointRend
