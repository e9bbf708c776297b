"""Expectation-maximization attention."""
