"""A narrow DeepLabV3+ (ResNet-18, 16 to 128 channels) on the embedded data set: minutes on two CPU cores."""

import os

from .._base_ import DatasetConfig, SegmentorConfig, experiment

NORMALIZE = ("Normalize", {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]})

SEGMENTOR_CFG: SegmentorConfig = experiment(
    __file__,
    "DEEPLABV3PLUS",
    dataset=DatasetConfig(
        type="FolderDataset",
        rootdir=os.path.join(os.getcwd(), "runs", "demo", "data"),
        train={
            "set": "train",
            "data_pipelines": [
                (
                    "Resize",
                    {
                        "output_size": (144, 192),
                        "scale_range": (0.8, 1.25),
                        "seg_target_interpolation": "nearest_exact",
                    },
                ),
                ("RandomCrop", {"crop_size": (128, 160), "one_category_max_ratio": 0.75}),
                ("RandomFlip", {"prob": 0.5}),
                NORMALIZE,
                ("ToTensor", {}),
                ("Padding", {"output_size": (128, 160), "data_type": "tensor"}),
            ],
        },
        test={"set": "val", "data_pipelines": [NORMALIZE, ("ToTensor", {})]},
    ),
    dataloader="BS8",
    max_epochs=20,
    num_classes=9,
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
    optimizer={"type": "Muon", "lr": 0.03, "weight_decay": 0.05, "adamw_lr_ratio": 0.2},
)
SEGMENTOR_CFG["head"] = {
    "in_channels": [16, 128],
    "shortcut_channels": 24,
    "feats_channels": 48,
    "dilations": [1, 2, 4, 8],
    "dropout": 0.1,
}
SEGMENTOR_CFG["auxiliary"] = None
SEGMENTOR_CFG["losses"] = {
    "loss_cls": [{"type": "CrossEntropyLoss"}, {"type": "DiceLoss", "use_sigmoid": False, "scale_factor": 0.5}]
}
SEGMENTOR_CFG["norm_cfg"] = {"type": "BatchNorm2d"}
SEGMENTOR_CFG["scheduler"].pop("power")
SEGMENTOR_CFG["scheduler"].update({"type": "OneCycleScheduler", "warmup_fraction": 0.15})
SEGMENTOR_CFG["runtime"] = {"channels_last": True}
SEGMENTOR_CFG["dataloader"]["train"]["num_workers_per_gpu"] = 0
SEGMENTOR_CFG["dataloader"]["test"]["num_workers_per_gpu"] = 0
SEGMENTOR_CFG["eval_interval_epochs"] = 2
SEGMENTOR_CFG["save_interval_epochs"] = 5
SEGMENTOR_CFG["training_logging_manager_cfg"] = {"log_interval_iters": 10}
