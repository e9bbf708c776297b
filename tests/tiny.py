"""A data set and an experiment small enough to train in a second, for tests that need whole runs."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

CONFIG = """
import os
from ssseg.configs._base_.dataloaders.default_dataloader import DataloaderConfig
from ssseg.configs._base_.datasets.default_dataset import DatasetConfig
from ssseg.configs._base_.segmentors.default_segmentor import SegmentorConfig

NORMALIZE = ('Normalize', {{'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375]}})

SEGMENTOR_CFG = SegmentorConfig(
    type='FCN', num_classes=3, benchmark=True, align_corners=False, work_dir={work_dir!r},
    eval_interval_epochs=1, save_interval_epochs=1,
    logger_handle_cfg={{'type': 'LocalLoggerHandle', 'logfilepath': os.path.join({work_dir!r}, 'tiny.log')}},
    training_logging_manager_cfg={{'log_interval_iters': 1}},
    norm_cfg={{'type': 'GroupNorm', 'num_groups': 2}}, act_cfg={{'type': 'ReLU', 'inplace': True}},
    backbone={{
        'type': 'ResNet', 'depth': 18, 'structure_type': 'resnet18', 'pretrained': False, 'outstride': 8,
        'use_conv3x3_stem': False, 'stem_channels': 8, 'base_channels': 8, 'selected_indices': (2, 3),
    }},
    head={{'in_channels': 64, 'feats_channels': 8, 'dropout': 0.1}},
    auxiliary={{'in_channels': 32, 'out_channels': 8, 'dropout': 0.1}},
    losses={{
        'loss_aux': {{'type': 'CrossEntropyLoss', 'scale_factor': 0.4, 'ignore_index': -100, 'reduction': 'mean'}},
        'loss_cls': {{'type': 'CrossEntropyLoss', 'scale_factor': 1.0, 'ignore_index': -100, 'reduction': 'mean'}},
    }},
    inference={{
        'forward': {{'mode': 'whole', 'cropsize': None, 'stride': None}},
        'tta': {{'multiscale': [1], 'flip': False, 'use_probs_before_resize': False}},
        'evaluate': {{'metric_list': ['iou', 'miou']}},
    }},
    scheduler={{
        'type': 'PolyScheduler', 'max_epochs': 2, 'power': 0.9,
        'optimizer': {{'type': 'SGD', 'lr': 0.05, 'momentum': 0.9, 'weight_decay': 5e-4, 'params_rules': {{}}}},
    }},
    dataset=DatasetConfig(
        type='FolderDataset', rootdir={root!r},
        train={{'set': 'train', 'data_pipelines': [
            ('RandomFlip', {{'prob': 0.5}}), ('PhotoMetricDistortion', {{}}), NORMALIZE, ('ToTensor', {{}}),
        ]}},
        test={{'set': 'val', 'data_pipelines': [NORMALIZE, ('ToTensor', {{}})]}},
    ),
    dataloader=DataloaderConfig(
        expected_total_train_bs_for_assert=4, auto_adapt_to_expected_train_bs=True,
        train={{'batch_size_per_gpu': 2, 'num_workers_per_gpu': 0, 'shuffle': True, 'pin_memory': True,
               'drop_last': True}},
        test={{'batch_size_per_gpu': 1, 'num_workers_per_gpu': 0, 'shuffle': False, 'pin_memory': True,
              'drop_last': False}},
    ),
    runtime={{'num_threads': 1}},
)
"""


def write_data(root: Path, train: int = 12, val: int = 7, size: int = 32) -> Path:
    """Write a plain-folder data set: a bright and a dark rectangle on a grey ground, no ignored pixels."""
    rng = np.random.Generator(np.random.PCG64(0))
    for split, number in (("train", train), ("val", val)):
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        for index in range(number):
            image = rng.integers(90, 140, (size, size, 3), dtype=np.uint8)
            label = np.zeros((size, size), np.uint8)
            for value, shade in ((1, 220), (2, 30)):
                top, left = rng.integers(0, size - 12, 2)
                label[top : top + 12, left : left + 12] = value
                image[top : top + 12, left : left + 12] = shade
            cv2.imwrite(str(root / "images" / split / f"{index:03d}.png"), image)
            cv2.imwrite(str(root / "labels" / split / f"{index:03d}.png"), label)
    (root / "classes.txt").write_text("0\tground\t128\t128\t128\n1\tbright\t255\t255\t0\n2\tdark\t0\t0\t255\n")
    return root


def write_config(folder: Path, root: Path, work_dir: str = "run") -> Path:
    """Write the experiment; it trains two epochs of three iterations."""
    path = folder / "tiny.py"
    path.write_text(CONFIG.format(root=str(root), work_dir=str(folder / work_dir)))
    return path


def ssseg(*arguments: object, check: bool = True, **options) -> subprocess.CompletedProcess:
    """Run the command line in a process of its own."""
    return run([sys.executable, "-m", "ssseg", *map(str, arguments)], check=check, **options)


def run(command: list[str], check: bool = True, **options) -> subprocess.CompletedProcess:
    """Run a command; with `check` a failure shows what it printed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env=environment, **options)
    assert not check or done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done
