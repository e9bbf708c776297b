"""Context encoding."""

from .encnet import ENCNet
