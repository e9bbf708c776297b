"""Object-contextual representations."""

from .ocrnet import OCRNet
