"""Non-local networks."""

from .nonlocalblock import NonLocalBlock
from .nonlocalnet import NonLocalNet
