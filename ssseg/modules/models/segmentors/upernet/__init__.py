"""Unified perceptual parsing."""
