"""The head of MobileNetV3 for segmentation."""

from .lrasppnet import LRASPPNet
