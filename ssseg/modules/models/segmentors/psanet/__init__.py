"""Point-wise spatial attention."""

from .psanet import PSANet
