"""FCN, BiSeNetV1 on ResNet-18, Cityscapes, 1024x1024, 860 epochs. Published mIoU: 75.76 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "BISENETV1", dataset="CITYSCAPES_1024x1024", dataloader="BS16", max_epochs=860)
SEGMENTOR_CFG["backbone"] = {
    "type": "BiSeNetV1",
    "structure_type": "bisenetv1",
    "pretrained": False,
    "backbone_cfg": {
        "type": "ResNet",
        "depth": 18,
        "structure_type": "resnet18conv3x3stem",
        "pretrained": True,
        "outstride": 32,
        "use_conv3x3_stem": True,
    },
    "spatial_channels_list": [64, 64, 64, 128],
    "context_channels_list": [128, 256, 512],
    "out_channels": 256,
    "selected_indices": (0, 1, 2),
}
SEGMENTOR_CFG["head"]["feats_channels"] = 256
SEGMENTOR_CFG["head"]["in_channels"] = 256
SEGMENTOR_CFG["auxiliary"] = [
    {"in_channels": 128, "out_channels": 64, "num_convs": 1, "dropout": 0.1},
    {"in_channels": 128, "out_channels": 64, "num_convs": 1, "dropout": 0.1},
]
