"""A narrow U-Net (16 to 256 channels) on DRIVE's vessels, from scratch, on a CPU.

    ssseg train drive/fcn_unets5os16_drive_scratch dataset.rootdir=/path/to/drive

`rootdir` is a plain folder: images/{train,val}, labels/{train,val}, classes.txt. Pictures keep their size, 584 x 565,
because a U-Net's last map has that of the picture. Measured, trained on 16 pictures: vessel Dice 82.4 % on the 4 of val
(official training pictures 37 to 40) by `ssseg test`, averaged with the mirrored picture; 81.5 % without.
Training took 8.6 CPU-minutes of a process (seed 0, last epoch, an AMD EPYC with bfloat16 instructions). On a CPU
without them switch mixed precision off: `fp16_cfg=None`.
"""

import os
from typing import Any

from .._base_ import DatasetConfig, SegmentorConfig, experiment

NORMALIZE: tuple[str, dict[str, Any]] = (
    "Normalize",
    {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]},
)
# Mild: the standard distortion outdoes the faint contrast of thin vessels, and few steps cannot make up for that.
DISTORTION: dict[str, Any] = {
    "brightness_delta": 16,
    "contrast_range": (0.8, 1.25),
    "saturation_range": (0.8, 1.25),
    "hue_delta": 3,
}

SEGMENTOR_CFG: SegmentorConfig = experiment(
    __file__,
    "UNET",
    dataset=DatasetConfig(
        type="FolderDataset",
        rootdir=os.path.join(os.getcwd(), "DRIVE"),
        train={
            "set": "train",
            "repeat_times": 50,
            "data_pipelines": [
                (
                    "Resize",
                    {"output_size": (584, 565), "scale_range": (0.8, 1.3), "seg_target_interpolation": "nearest_exact"},
                ),
                ("RandomCrop", {"crop_size": (128, 128), "one_category_max_ratio": 1.0}),
                ("RandomFlip", {"prob": 0.5}),
                ("RandomRotation", {"prob": 0.5, "angle_upper": 45}),
                ("PhotoMetricDistortion", DISTORTION),
                NORMALIZE,
                ("ToTensor", {}),
                ("Padding", {"output_size": (128, 128), "data_type": "tensor"}),
            ],
        },
        test={"set": "val", "data_pipelines": [NORMALIZE, ("ToTensor", {})]},
    ),
    dataloader="BS8",
    max_epochs=12,
    num_classes=2,
    backbone={
        "type": "UNet",
        "structure_type": "unets5os16",
        "pretrained": False,
        "base_channels": 16,
        "upsample_cfg": {"type": "InterpConv", "conv_first": True},
        "selected_indices": (4,),
    },
    optimizer={
        "type": "Muon",
        "lr": 0.02,
        "momentum": 0.95,
        "weight_decay": 0.02,
        "adamw_keys": ["decoder.4"],
        "adamw_lr_ratio": 0.5,
    },
)
SEGMENTOR_CFG["head"] = {"in_channels": 16, "feats_channels": 16, "num_convs": 1, "dropout": 0.0}
SEGMENTOR_CFG["auxiliary"] = None
SEGMENTOR_CFG["losses"] = {"loss_cls": [{"type": "CrossEntropyLoss"}, {"type": "DiceLoss", "use_sigmoid": False}]}
SEGMENTOR_CFG["inference"]["tta"]["flip"] = True
SEGMENTOR_CFG["norm_cfg"] = {"type": "BatchNorm2d"}
SEGMENTOR_CFG["scheduler"].pop("power")
SEGMENTOR_CFG["scheduler"].update({"type": "OneCycleScheduler", "warmup_fraction": 0.15, "min_lr": 0.0})
SEGMENTOR_CFG["fp16_cfg"] = {"type": "pytorch", "autocast": {"dtype": "bfloat16"}}
SEGMENTOR_CFG["runtime"] = {"channels_last": True, "num_threads": 1, "best_metric": "mdice"}
SEGMENTOR_CFG["dataloader"]["train"]["num_workers_per_gpu"] = 0
SEGMENTOR_CFG["dataloader"]["test"]["num_workers_per_gpu"] = 0
SEGMENTOR_CFG["eval_interval_epochs"] = 4
SEGMENTOR_CFG["save_interval_epochs"] = 4
