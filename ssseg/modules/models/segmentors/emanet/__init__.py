"""Expectation-maximization attention."""

from .emanet import EMANet
