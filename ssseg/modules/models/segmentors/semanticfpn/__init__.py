"""Semantic feature pyramids."""

from .semanticfpn import SemanticFPN
