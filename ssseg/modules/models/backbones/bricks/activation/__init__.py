"""Activations, by name."""

from .builder import ActivationBuilder, BuildActivation
