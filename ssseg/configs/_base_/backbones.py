"""The backbones that several experiments share, as the dictionaries that `SEGMENTOR_CFG["backbone"]` takes."""

from collections.abc import Sequence
from typing import Any


def resnet(depth: int, *, outstride: int, selected_indices: Sequence[int] = (2, 3)) -> dict[str, Any]:
    """ResNet whose stem is three 3x3 convolutions, with weights trained on ImageNet.

    Args:
        depth: 18, 50 or 101.
        outstride: input size / size of the last feature map: 8, 16 or 32.
        selected_indices: the stages that the head sees, from 0 (1/4, 256 channels) to 3 (2048 channels).

    Paper: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385.
    """
    return {
        "type": "ResNet",
        "depth": depth,
        "structure_type": f"resnet{depth}conv3x3stem",
        "pretrained": True,
        "outstride": outstride,
        "use_conv3x3_stem": True,
        "selected_indices": tuple(selected_indices),
    }


def mobilenetv2(*, outstride: int, selected_indices: Sequence[int] = (0, 1, 2, 3)) -> dict[str, Any]:
    """MobileNetV2 with weights trained on ImageNet; its stages give 24, 32, 96 and 320 channels.

    Args:
        outstride: input size / size of the last feature map: 8, 16 or 32.
        selected_indices: the stages that the head sees.

    Paper: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, arXiv:1801.04381.
    """
    return {
        "type": "MobileNetV2",
        "structure_type": "mobilenetv2",
        "pretrained": True,
        "outstride": outstride,
        "selected_indices": tuple(selected_indices),
    }
