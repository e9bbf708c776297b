"""Segmentors: a backbone with a head that scores every class at every place."""

from .builder import BuildSegmentor, SegmentorBuilder
