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


def segmentor(name, fields, **others):
    """A cfg on the small ResNet, whose maps have 8, 16, 32 and 64 channels, with one auxiliary head."""
    return {
        "type": name,
        "num_classes": 4,
        "align_corners": False,
        "norm_cfg": {"type": "SyncBatchNorm"},
        "act_cfg": {"type": "ReLU", "inplace": True},
        "backbone": {**RESNET, "selected_indices": (0, 1, 2, 3)},
        "head": {"in_channels": 64, "feats_channels": 8, "dropout": 0.0, **fields},
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


_LOSS = {"type": "CrossEntropyLoss"}
_TWO_STAGES = {"loss_aux": _LOSS, "loss_cls_stage1": _LOSS, "loss_cls_stage2": _LOSS}
SEGMENTORS = {
    "APCNet": segmentor("APCNet", {"pool_scales": [1, 2, 3]}),
    "CE2P": segmentor(
        "CE2P",
        {},
        head={
            "in_channels_list": [8, 16, 32, 64],
            "shortcut_feats_channels": 4,
            "feats_channels": 8,
            "epm_hidden_channels": 4,
            "epm_out_channels": 2,
            "pool_scales": [1, 2],
            "dropout_stage1": 0.0,
            "dropout_stage2": 0.0,
        },
        auxiliary=None,
        losses={"loss_cls_stage1": _LOSS, "loss_cls_stage2": _LOSS, "loss_edge": _LOSS},
    ),
    "DMNet": segmentor("DMNet", {"filter_sizes": [1, 2, 3], "is_fusion": True}),
    "EMANet": segmentor("EMANet", {"num_stages": 2, "num_bases": 4, "momentum": 0.1}),
    "ENCNet": segmentor(
        "ENCNet",
        {},
        head={
            "in_channels_list": [16, 32, 64],
            "feats_channels": 8,
            "num_codes": 4,
            "extra": {"add_lateral": True, "use_se_loss": True},
            "dropout": 0.0,
        },
        losses={"loss_aux": _LOSS, "loss_cls": _LOSS, "loss_se": {**_LOSS, "use_sigmoid": True}},
    ),
    "ICNet": segmentor(
        "ICNet",
        {},
        head={
            "in_channels_list": [4, 8, 8],
            "feats_channels": 8,
            "encoder": {
                "layer_channels_list": [16, 64],
                "light_branch_middle_channels": 4,
                "psp_out_channels": 8,
                "out_channels_list": [4, 8, 8],
                "pool_scales": [1, 2],
            },
            "dropout": 0.0,
        },
        backbone={**RESNET, "selected_indices": (0, 1, 2)},
        auxiliary=[{"in_channels": 8, "out_channels": 8, "dropout": 0.0}] * 2,
        losses={"loss_aux1": _LOSS, "loss_aux2": _LOSS, "loss_cls": _LOSS},
    ),
    "ISNet": segmentor(
        "ISNet",
        {
            "transform_channels": 4,
            "concat_input": True,
            "shortcut": {"is_on": True, "in_channels": 8, "feats_channels": 4},
        },
        losses=_TWO_STAGES,
    ),
    "PSANet": segmentor(
        "PSANet",
        {
            "type": "bi-direction",
            "compact": False,
            "mask_size": (5, 5),
            "normalization_factor": 1.0,
            "psa_softmax": True,
            "shrink_factor": 2,
        },
    ),
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
