"""SegFormer."""

from .segformer import Segformer
