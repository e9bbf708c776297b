"""Segmentation as rendering."""
