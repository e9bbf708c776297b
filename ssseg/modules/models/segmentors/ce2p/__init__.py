"""Context embedding with edge perceiving."""

from .ce2p import CE2P
