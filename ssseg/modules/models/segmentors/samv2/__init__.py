"""Segment Anything in images and videos."""

from .automaticmaskgenerator import SAMV2AutomaticMaskGenerator
from .imagepredictor import SAMV2ImagePredictor
from .samv2 import SAMV2
from .videopredictor import SAMV2VideoPredictor
