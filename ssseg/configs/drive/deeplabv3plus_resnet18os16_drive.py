"""A narrow DeepLabV3+ (ResNet-18, 16 to 128 channels) on DRIVE's vessels, from scratch, on a CPU.

    ssseg train drive/deeplabv3plus_resnet18os16_drive dataset.rootdir=/path/to/drive

`rootdir` is a plain folder: images/{train,val}, labels/{train,val}, classes.txt. Measured, trained on 16 pictures:
vessel Dice 79.8 % on the 4 of val (official training pictures 37 to 40), one scale, after 10.2 CPU-minutes of a process
(seed 0, an AMD EPYC with bfloat16 instructions). On a CPU without them switch mixed precision off: `fp16_cfg=None`.
"""

import os
from typing import Any

from .._base_ import DatasetConfig, SegmentorConfig, experiment

NORMALIZE: tuple[str, dict[str, Any]] = (
    "Normalize",
    {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]},
)
ENLARGED = (1168, 1130)  # twice the size: the network sees 1/4 of it, and vessels are 1 to 8 pixels wide

SEGMENTOR_CFG: SegmentorConfig = experiment(
    __file__,
    "DEEPLABV3PLUS",
    dataset=DatasetConfig(
        type="FolderDataset",
        rootdir=os.path.join(os.getcwd(), "DRIVE"),
        train={
            "set": "train",
            "repeat_times": 50,
            "data_pipelines": [
                (
                    "Resize",
                    {"output_size": ENLARGED, "scale_range": (0.8, 1.3), "seg_target_interpolation": "nearest_exact"},
                ),
                ("RandomCrop", {"crop_size": (256, 256), "one_category_max_ratio": 1.0}),
                ("RandomFlip", {"prob": 0.5}),
                ("RandomRotation", {"prob": 0.5, "angle_upper": 45}),
                ("PhotoMetricDistortion", {}),
                NORMALIZE,
                ("ToTensor", {}),
                ("Padding", {"output_size": (256, 256), "data_type": "tensor"}),
            ],
        },
        test={
            "set": "val",
            "data_pipelines": [
                ("Resize", {"output_size": ENLARGED, "keep_ratio": True, "scale_range": None}),
                NORMALIZE,
                ("ToTensor", {}),
            ],
        },
    ),
    dataloader="BS8",
    max_epochs=15,
    num_classes=2,
    backbone={
        "type": "ResNet",
        "depth": 18,
        "structure_type": "resnet18conv3x3stem",
        "pretrained": False,
        "outstride": 16,
        "use_conv3x3_stem": True,
        "stem_channels": 16,
        "base_channels": 16,
        "selected_indices": (0, 1, 2, 3),
    },
    optimizer={
        "type": "Muon",
        "lr": 0.02,
        "momentum": 0.95,
        "weight_decay": 0.02,
        "adamw_keys": ["decoder.3"],
        "adamw_lr_ratio": 0.15,
    },
)
SEGMENTOR_CFG["head"] = {
    "in_channels": [16, 128],
    "shortcut_channels": 24,
    "feats_channels": 48,
    "dilations": [1, 2, 4, 6],
    "dropout": 0.1,
}
SEGMENTOR_CFG["auxiliary"] = None
SEGMENTOR_CFG["losses"] = {"loss_cls": [{"type": "CrossEntropyLoss"}, {"type": "DiceLoss", "use_sigmoid": False}]}
SEGMENTOR_CFG["inference"]["evaluate"]["metric_list"] = ["dice", "mdice"]
SEGMENTOR_CFG["norm_cfg"] = {"type": "BatchNorm2d"}
SEGMENTOR_CFG["scheduler"].pop("power")
SEGMENTOR_CFG["scheduler"].update({"type": "OneCycleScheduler", "warmup_fraction": 0.15, "min_lr": 0.0})
SEGMENTOR_CFG["fp16_cfg"] = {"type": "pytorch", "autocast": {"dtype": "bfloat16"}}
SEGMENTOR_CFG["runtime"] = {"channels_last": True, "num_threads": 1, "best_metric": "mdice"}
SEGMENTOR_CFG["dataloader"]["train"]["num_workers_per_gpu"] = 0
SEGMENTOR_CFG["dataloader"]["test"]["num_workers_per_gpu"] = 0
SEGMENTOR_CFG["eval_interval_epochs"] = 5
SEGMENTOR_CFG["save_interval_epochs"] = 5
