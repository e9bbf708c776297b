"""For every registered backbone and segmentor a cfg small enough to train within a second."""

import copy

RESNET = {
    "type": "ResNet",
    "structure_type": "resnet18",
    "depth": 18,
    "base_channels": 8,
    "stem_channels": 8,
    "outstride": 8,
    "pretrained": False,
}
BACKBONES = {
    "MobileNetV2": {"type": "MobileNetV2", "structure_type": "mobilenetv2", "widen_factor": 0.25, "pretrained": False},
    "ResNet": RESNET,
}


def segmentor(name, head, **others):
    """A cfg on the small ResNet, whose maps have 8, 16, 32 and 64 channels, with one auxiliary head."""
    return {
        "type": name,
        "num_classes": 4,
        "align_corners": False,
        "norm_cfg": {"type": "SyncBatchNorm"},
        "act_cfg": {"type": "ReLU", "inplace": True},
        "backbone": {**RESNET, "selected_indices": (0, 1, 2, 3)},
        "head": {"in_channels": 64, "feats_channels": 8, "dropout": 0.0, **head},
        "auxiliary": {"in_channels": 32, "out_channels": 8, "dropout": 0.0},
        "losses": {
            "loss_aux": {"type": "CrossEntropyLoss", "scale_factor": 0.4},
            "loss_cls": {"type": "CrossEntropyLoss"},
        },
        "inference": {
            "forward": {"mode": "whole", "cropsize": None, "stride": None},
            "tta": {"multiscale": [1], "flip": False, "use_probs_before_resize": False},
        },
        **others,
    }


SEGMENTORS = {
    "Deeplabv3": segmentor("Deeplabv3", {"dilations": [1, 2, 4]}),
    "Deeplabv3Plus": segmentor(
        "Deeplabv3Plus", {"in_channels": [8, 64], "shortcut_channels": 4, "dilations": [1, 2, 4]}
    ),
    "DepthwiseSeparableFCN": segmentor("DepthwiseSeparableFCN", {}),
    "FCN": segmentor("FCN", {}),
    "PSPNet": segmentor("PSPNet", {"pool_scales": [1, 2, 3]}),
}


def small(name):
    """A copy of the cfg of a segmentor, to change at will."""
    return copy.deepcopy(SEGMENTORS[name])
