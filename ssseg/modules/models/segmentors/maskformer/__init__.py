"""MaskFormer."""

from .maskformer import MaskFormer
