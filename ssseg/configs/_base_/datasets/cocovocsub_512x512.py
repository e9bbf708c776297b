"""COCO images that show a class of PASCAL VOC, 21 classes, crops of 512 x 512."""

import os

from .default_dataset import DatasetConfig

DATASET_CFG_COCOVOCSUB_512x512 = DatasetConfig(
    type="COCOVOCSUBDataset",
    rootdir=os.path.join(os.getcwd(), "COCO"),
    train={
        "set": "train",
        "data_pipelines": [
            ("Resize", {"output_size": (2048, 512), "keep_ratio": True, "scale_range": (0.5, 2.0)}),
            ("RandomCrop", {"crop_size": (512, 512), "one_category_max_ratio": 0.75}),
            ("RandomFlip", {"prob": 0.5}),
            ("PhotoMetricDistortion", {}),
            ("Normalize", {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}),
            ("ToTensor", {}),
            ("Padding", {"output_size": (512, 512), "data_type": "tensor"}),
        ],
    },
    test={
        "set": "val",
        "data_pipelines": [
            ("Resize", {"output_size": (2048, 512), "keep_ratio": True, "scale_range": None}),
            ("Normalize", {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}),
            ("ToTensor", {}),
        ],
    },
)
