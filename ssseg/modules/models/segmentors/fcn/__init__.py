"""Fully convolutional networks."""
