"""A narrow DeepLabV3+ (ResNet-18, 24 to 192 channels) on CamVid's 11 classes, from scratch, on a CPU.

    ssseg train camvid/deeplabv3plus_resnet18os32_camvid dataset.rootdir=/path/to/camvid

`rootdir` is a plain folder: images/{train,val}, labels/{train,val}, and a classes.txt with a row `void`. Measured:
61.2 % mIoU on the 101 pictures of val at 480 x 360, one scale, after 11.9 CPU-minutes of one process on a busy machine
(1.7 M parameters, seed 0, an AMD EPYC with bfloat16 instructions). Runs differ by some points in the rare classes.
On a CPU without such instructions switch mixed precision off: `fp16_cfg=None`.
"""

import os
from typing import Any

from .._base_ import DatasetConfig, SegmentorConfig, experiment

EPOCHS = 60


def train_pipelines(height: int, width: int) -> list[tuple[str, dict[str, Any]]]:
    """Views of `height` x `width`; at a factor of 1 the whole picture."""
    return [
        (
            "Resize",
            {"output_size": (height, width), "scale_range": (0.7, 1.5), "seg_target_interpolation": "nearest_exact"},
        ),
        ("RandomCrop", {"crop_size": (height, width), "one_category_max_ratio": 0.75}),
        ("RandomFlip", {"prob": 0.5}),
        ("PhotoMetricDistortion", {}),
        ("Normalize", {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}),
        ("ToTensor", {}),
        ("Padding", {"output_size": (height, width), "data_type": "tensor"}),
    ]


# Percent of the labelled training pixels: sky, building, pole, road, pavement, tree, sign_symbol, fence, car,
# pedestrian, bicyclist. A class weighs share ** -0.5: unweighted, rare ones stay at an IoU of 0 in so short a run.
SHARES = (17.54, 24.21, 1.02, 32.96, 4.67, 10.12, 1.22, 1.17, 6.11, 0.67, 0.30)

SEGMENTOR_CFG: SegmentorConfig = experiment(
    __file__,
    "DEEPLABV3PLUS",
    dataset=DatasetConfig(
        type="FolderDataset",
        rootdir=os.path.join(os.getcwd(), "CamVid"),
        train={
            "set": "train",
            "rare_class_crop": "auto",  # half of the crops are drawn around a pixel of a class that is rare
            "data_pipelines": train_pipelines(144, 192),
            "pipeline_schedule": [  # coarse views first: they cost a third of the last ones
                (1 + round(0.35 * EPOCHS), train_pipelines(192, 256)),
                (1 + round(0.75 * EPOCHS), train_pipelines(240, 320)),
            ],
        },
        test={
            "set": "val",
            "data_pipelines": [
                ("Resize", {"output_size": (240, 320), "keep_ratio": True, "scale_range": None}),
                ("Normalize", {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}),
                ("ToTensor", {}),
            ],
        },
    ),
    dataloader="BS8",
    max_epochs=EPOCHS,
    num_classes=11,
    backbone={
        "type": "ResNet",
        "depth": 18,
        "structure_type": "resnet18",
        "pretrained": False,
        "outstride": 32,
        "use_conv3x3_stem": False,
        "stem_channels": 24,
        "base_channels": 24,
        "selected_indices": (0, 1, 2, 3),
    },
    optimizer={
        "type": "Muon",
        "lr": 0.02,
        "momentum": 0.95,
        "ns_steps": 3,
        "weight_decay": 0.02,
        "adamw_keys": ["decoder.3"],  # the classifier
        "adamw_lr_ratio": 0.15,
    },
)
SEGMENTOR_CFG["head"] = {
    "in_channels": [24, 192],
    "shortcut_channels": 16,
    "feats_channels": 48,
    "dilations": [1, 2, 4, 6],
    "dropout": 0.1,
}
SEGMENTOR_CFG["auxiliary"] = None
SEGMENTOR_CFG["losses"] = {
    "loss_cls": [
        {"type": "CrossEntropyLoss", "class_weight": [share**-0.5 for share in SHARES]},
        {"type": "DiceLoss", "use_sigmoid": False, "scale_factor": 0.3},
    ]
}
SEGMENTOR_CFG["norm_cfg"] = {"type": "BatchNorm2d"}
SEGMENTOR_CFG["scheduler"].pop("power")
SEGMENTOR_CFG["scheduler"].update({"type": "OneCycleScheduler", "warmup_fraction": 0.15, "min_lr": 0.0})
SEGMENTOR_CFG["fp16_cfg"] = {"type": "pytorch", "autocast": {"dtype": "bfloat16"}}
SEGMENTOR_CFG["runtime"] = {"channels_last": True, "loss_grid": "logits", "num_threads": 1}
SEGMENTOR_CFG["dataloader"]["train"]["num_workers_per_gpu"] = 0
SEGMENTOR_CFG["dataloader"]["test"]["num_workers_per_gpu"] = 0
SEGMENTOR_CFG["eval_interval_epochs"] = 30
SEGMENTOR_CFG["save_interval_epochs"] = 30
