"""Normalizations, by name."""

from .builder import BuildNormalization, NormalizationBuilder
