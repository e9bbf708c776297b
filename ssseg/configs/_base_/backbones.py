"""The convolutional backbones that several experiments share, as `SEGMENTOR_CFG["backbone"]` takes them."""

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


def mobilenetv3(arch: str, *, outstride: int = 8) -> dict[str, Any]:
    """MobileNetV3 with weights trained on ImageNet; three maps, as LR-ASPP takes them.

    Args:
        arch: "small" (16, 16 and 576 channels) or "large" (16, 24 and 960 channels).
        outstride: input size / size of the last feature map: 8, 16 or 32.

    Paper: Howard et al., "Searching for MobileNetV3", ICCV 2019, arXiv:1905.02244.
    """
    return {
        "type": "MobileNetV3",
        "structure_type": f"mobilenetv3_{arch}",
        "arch_type": arch,
        "pretrained": True,
        "outstride": outstride,
        **({"out_indices": (0, 1, 12)} if arch == "small" else {}),  # the class's own are those of the large one
        "selected_indices": (0, 1, 2),
    }


def resnest(depth: int, *, outstride: int) -> dict[str, Any]:
    """ResNeSt with weights trained on ImageNet; its stages give 256, 512, 1024 and 2048 channels.

    Args:
        depth: 50, 101 or 200.
        outstride: input size / size of the last feature map: 8, 16 or 32.

    Paper: Zhang et al., "ResNeSt: Split-Attention Networks", 2020, arXiv:2004.08955.
    """
    return {
        "type": "ResNeSt",
        "depth": depth,
        "structure_type": f"resnest{depth}",
        "pretrained": True,
        "outstride": outstride,
        "selected_indices": (0, 1, 2, 3),
    }


def hrnet(arch: str, *, maps: int = 2, downsampled: bool = False) -> dict[str, Any]:
    """HRNetV2 with weights trained on ImageNet. Its one map, all branches joined at 1/4, serves every part of a head.

    Args:
        arch: "w18_small" or "w18" (270 channels), or "w48" (720 channels).
        maps: how many maps the head is given, the same one each time.
        downsampled: the form that MCIBI trained with on large images (`mcibi_version`).

    Paper: Wang et al., "Deep High-Resolution Representation Learning for Visual Recognition", 2019, arXiv:1908.07919.
    """
    return {
        "type": "HRNet",
        "arch": f"hrnetv2_{arch}",
        "structure_type": f"hrnetv2_{arch}",
        "pretrained": True,
        **({"mcibi_version": True} if downsampled else {}),
        "selected_indices": (0,) * maps,
    }


def convnext(arch: str, weights: str = "", *, drop_path_rate: float = 0.4) -> dict[str, Any]:
    """ConvNeXt with weights trained on ImageNet.

    Args:
        arch: "tiny", "small", "base", "large" or "xlarge".
        weights: "21k" for those of ImageNet-21k (base and larger).
        drop_path_rate: how often the deepest block is skipped in training.

    Paper: Liu et al., "A ConvNet for the 2020s", CVPR 2022, arXiv:2201.03545.
    """
    return {
        "type": "ConvNeXt",
        "arch": arch,
        "structure_type": f"convnext_{arch}" + (f"_{weights}" if weights else ""),
        "pretrained": True,
        "layer_scale_init_value": 1.0,
        "gap_before_final_norm": False,
        "norm_cfg": {"type": "LayerNorm2d", "eps": 1e-6},
        "drop_path_rate": drop_path_rate,
        "selected_indices": (0, 1, 2, 3),
    }
