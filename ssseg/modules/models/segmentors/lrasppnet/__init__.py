"""The head of MobileNetV3 for segmentation."""
