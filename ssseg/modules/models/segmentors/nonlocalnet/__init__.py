"""Non-local networks."""

from .nonlocalblock import NonLocalBlock
